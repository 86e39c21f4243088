// The checkout's page: it sends the form once, and shows no page from the browser's memory.
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
})();
