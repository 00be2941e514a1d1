// A button that a page without scripts does not show.

export function attach(button) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
