// The checkout's page. htmx swaps the address's fields and the delivery prices; this keeps what is
// typed meanwhile, sends the form once, and shows no page from the browser's memory.
(() => {
  "use strict";
  const form = document.getElementById("checkout");
  let typed = new Map();

  // A browser that fills the form in goes on while the server answers the change of the country.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "address") return;
    const fields = event.detail.target.querySelectorAll("input, select");
    typed = new Map([...fields].map((field) => [field.name, field.value]));
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "address") return;
    for (const field of event.detail.target.querySelectorAll("input, select")) {
      const value = typed.get(field.name);
      if (!value) continue;
      const isOffered = field.options && [...field.options].some((one) => one.value === value);
      if (!field.options || isOffered) field.value = value;
    }
  });

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
})();
