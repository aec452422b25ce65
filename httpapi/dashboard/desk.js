// Copies the text of an element. Without this script the text can be selected.
for (const button of document.querySelectorAll("button[data-copy]")) {
  const from = document.getElementById(button.dataset.copy);
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(from.textContent);
      button.textContent = "Copied";
    } catch {
      // No clipboard, as over plain HTTP: the next best is to have it selected.
      window.getSelection().selectAllChildren(from);
    }
  });
}
