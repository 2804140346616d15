// Pictures that the user chooses, drops or pastes.

import { element } from "../common/dom.js";

/** Call `onFile(file)` with each such file; undefined if something else was dropped. */
export function listenForPictures(onFile) {
  element("file").addEventListener("change", ({ target }) => {
    onFile(target.files[0]);
    target.value = "";
  });
  // Anywhere on the page: the browser would open a picture that is dropped beside the stage, and leave the page.
  const hasFile = ({ dataTransfer }) => dataTransfer.types.includes("Files");
  document.addEventListener("dragover", (event) => hasFile(event) && event.preventDefault());
  document.addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    onFile(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", ({ clipboardData }) => {
    const file = [...clipboardData.files].find(({ type }) => type.startsWith("image/"));
    if (file) onFile(file);
  });
}
