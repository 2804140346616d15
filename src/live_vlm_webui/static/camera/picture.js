// Pictures that the user chooses, drops or pastes.

import { element } from "../common/dom.js";

/** Call `onFile(file)` with each such file; undefined if something else was dropped. */
export function listenForPictures(onFile) {
  const stage = element("stage");
  element("file").addEventListener("change", ({ target }) => {
    onFile(target.files[0]);
    target.value = "";
  });
  stage.addEventListener("dragover", (event) => event.preventDefault());
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    onFile(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    const file = [...clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (file) onFile(file);
  });
}
