// The upload field of a product's page: what the browser can say without asking the shop.
// Showing the shopper's own file (the shop never decodes it for a page), how far the sending is,
// and that a file is too large before it is sent; and holding the cart back while the shop checks
// it. htmx does the rest.
(() => {
  "use strict";
  let address = "";

  const field = () => document.getElementById("upload");
  const complain = (text) => {
    field().querySelector(".upload-error").textContent = text;
  };
  const chosen = (event) => {
    const input = event.detail.elt;
    return input.type === "file" && input.closest("#upload") ? input.files[0] : null;
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    const file = chosen(event);
    if (!file) return;
    const limit = file.type.startsWith("video/") ? "videoBytes" : "pictureBytes";
    if (file.size > Number(field().dataset[limit])) {
      event.preventDefault();
      event.detail.elt.value = "";
      complain(field().dataset.tooLarge);
      return;
    }
    URL.revokeObjectURL(address);
    address = URL.createObjectURL(file);
    field().querySelector("progress").hidden = false;
    complain("");
  });

  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = field()?.querySelector("progress");
    if (bar && event.detail.lengthComputable) {
      bar.value = (100 * event.detail.loaded) / event.detail.total;
    }
  });

  // A file that is being checked goes into the cart once it is known to be usable.
  const holdBack = () => {
    const button = field()?.closest("form")?.querySelector(".button[type=submit]");
    if (button) button.disabled = Boolean(field().querySelector("[data-checking]"));
  };

  document.addEventListener("htmx:afterSwap", () => {
    holdBack();
    const place = field()?.querySelector("[data-preview]");
    if (!place || !address || place.firstElementChild?.src === address) return;
    const shown = document.createElement(place.dataset.preview === "video" ? "video" : "img");
    shown.src = address;
    shown.alt = "";
    shown.muted = true;
    place.replaceChildren(shown);
  });

  for (const name of ["htmx:sendError", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      if (!chosen(event)) return;
      field().querySelector("progress").hidden = true;
      event.detail.elt.value = "";
      complain(field().dataset.failed);
    });
  }
})();
