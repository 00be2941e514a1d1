// Asks before a form is sent that cannot be taken back.

export function attach(form) {
  const dialog = document.getElementById(form.dataset.confirm);
  if (typeof dialog?.showModal !== "function") return;
  let submitter = null;
  let agreed = false;

  // Before send.js hears of it.
  form.addEventListener("submit", (event) => {
    if (agreed) {
      agreed = false;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    submitter = event.submitter;
    dialog.returnValue = "";
    dialog.showModal();
  }, { capture: true });

  dialog.addEventListener("close", () => {
    agreed = dialog.returnValue === "yes";
    if (agreed) form.requestSubmit(submitter);
  });
}
