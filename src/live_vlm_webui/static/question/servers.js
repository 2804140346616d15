// Where models can come from: known servers, and what to install where there is none. Loaded when it is first shown.

import { copy } from "../answers/answers.js";
import { element, make } from "../common/dom.js";
import { tell } from "../common/words.js";

const COMMAND = "ollama pull qwen2.5vl:3b";
const SERVERS = [
  { name: "Ollama", address: "http://127.0.0.1:11434/v1" },
  { name: "vLLM", address: "http://127.0.0.1:8000/v1" },
  { name: "NVIDIA API Catalog", address: "https://integrate.api.nvidia.com/v1", needsKey: true },
  { name: "OpenAI", address: "https://api.openai.com/v1", needsKey: true },
];

/** Show the servers to choose from: one click fills in the address, and asks for the key or lists the models. */
export function showServers() {
  const buttons = SERVERS.map(({ name, address, needsKey }) => {
    const button = make("button", { type: "button", class: "small" }, name);
    button.addEventListener("click", () => {
      element("api_base").value = address;
      if (needsKey) element("api_key").focus();
      else element("endpoint").requestSubmit();
    });
    return button;
  });
  const install = make("p", { class: "quiet wide" });
  tell(install, "server.install");
  const copying = make("button", { type: "button", class: "small" });
  tell(copying, "answer.copy");
  copying.addEventListener("click", () => copy(copying, COMMAND));
  const command = make("p", { class: "command" }, make("code", {}, COMMAND), copying);
  element("servers").replaceChildren(make("div", { class: "tools" }, ...buttons), install, command);
}
