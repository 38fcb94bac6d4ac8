// The "copy link" button: writes its address to the clipboard and says so.
const button = document.querySelector("[data-copy]");
const status = document.querySelector(".aside-status");

button?.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    status.textContent = button.dataset.copied;
  } catch {
    // without the permission, or over plain http, the reader copies by hand
    status.textContent = button.dataset.copy;
  }
});
