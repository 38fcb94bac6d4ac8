// The "copy link" button, where there is one: writes its address to the clipboard and says so.
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

// What the server rendered stays in the live discussion's element, unseen, for frameworks that count on it. There is none
// here, and a comment that is removed meanwhile need not be kept.
document.addEventListener("tertulia-ready", ({ target }) => target.replaceChildren());
