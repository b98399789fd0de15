// The text of a template, written with the editor of letters. Without it the field beside is the text.
import { Editor } from "./editor.js";

const form = document.querySelector("[data-template-form]");
const editor = new Editor(form);

form.addEventListener("submit", () => {
  form.elements.format.value = editor.isRich ? "html" : "plain";
  if (editor.isRich) form.elements.html.value = editor.html();
});
