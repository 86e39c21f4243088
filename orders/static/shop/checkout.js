// The checkout's page: it sends the form once, and shows no page from the browser's memory.
// It also runs the clock of what is set aside, whose seconds the server counted.
// `address.js` keeps what is typed while the address's fields are swapped.
(() => {
  "use strict";
  const form = document.getElementById("checkout");

  // The server makes one order of a double click. This spares it the second request.
  let isSent = false;
  form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    isSent = true;
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", (event) => {
    isSent = false;
    form.removeAttribute("aria-busy");
    // What a step back shows from memory may have become an order meanwhile.
    if (event.persisted) location.reload();
  });

  // The form's first button places the order. Enter in the code's field presses the one beside it.
  form.elements.voucher.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("[name=change][value=voucher]"));
  });

  // By the element: htmx replaces it when the units are set aside.
  const ends = new WeakMap();
  const say = (text) => {
    document.getElementById("hold-said").textContent = text;
  };
  const tick = () => {
    const hold = document.getElementById("hold");
    const seconds = Number(hold?.dataset.seconds);
    if (!seconds) return;
    if (!ends.has(hold)) ends.set(hold, performance.now() + seconds * 1000);
    const left = Math.ceil((ends.get(hold) - performance.now()) / 1000);
    if (left > 0) {
      const rest = String(left % 60).padStart(2, "0");
      hold.querySelector(".hold-left").textContent = `${Math.floor(left / 60)}:${rest}`;
      const soon = hold.querySelector(".hold-soon");
      if (left <= 120 && soon) {
        say(soon.innerHTML);
        soon.remove();
      }
      return;
    }
    delete hold.dataset.seconds;
    hold.querySelector(".hold-open").hidden = true;
    for (const hidden of hold.querySelectorAll("[hidden]:not(.hold-open)")) hidden.hidden = false;
    say(hold.querySelector(".hold-over").textContent.trim());
  };
  setInterval(tick, 250);
  tick();

  // Without reload, so that what is typed stays.
  form.addEventListener("click", (event) => {
    if (!event.target.closest(".hold-again") || !window.htmx) return;
    event.preventDefault();
    // The button goes: a screen reader goes on at the clock.
    form.addEventListener(
      "htmx:afterSwap",
      () => document.querySelector("#hold .hold-open")?.focus(),
      { once: true },
    );
    htmx.trigger("#hold", "ask");
  });
})();
