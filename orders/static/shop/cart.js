// Puts a product into the cart without a reload. The form and its answer are the server's; where
// this can't work (no connection, an old token), the browser sends the form itself, as it does
// without JavaScript.
(() => {
  "use strict";
  const SHOWN = 8000;
  const sending = new WeakSet();
  const region = document.createElement("div");
  region.className = "toasts";
  region.setAttribute("role", "status");
  document.body.append(region);
  let timer = 0;

  const show = (toast) => {
    region.replaceChildren(toast);
    clearTimeout(timer);
    const hide = () => {
      // Nobody who is reading it, or about to follow its link, loses it.
      if (region.matches(":hover, :focus-within")) timer = setTimeout(hide, SHOWN);
      else region.replaceChildren();
    };
    timer = setTimeout(hide, SHOWN);
  };

  const add = async (form, button) => {
    const body = new FormData(form, button);
    // Not `form.action`: the form has a field of that name.
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST",
      body,
      headers: { "X-Requested-With": "cart.js" },
      // It is sent to its end also if the shopper leaves the page at once. Browsers do so for small
      // bodies only, and refuse a file.
      keepalive: ![...body.values()].some((value) => value.size),
    });
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const link = page.getElementById("cart-link");
    const toast = page.querySelector(".toast");
    if (!link || !toast) throw new Error("no answer of the cart");
    if (toast.dataset.next && toast.dataset.next !== location.pathname) {
      location.assign(toast.dataset.next);
      return;
    }
    document.getElementById("cart-link")?.replaceWith(document.adoptNode(link));
    show(document.adoptNode(toast));
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches(".buy, .card-add")) return;
    event.preventDefault();
    if (sending.has(form)) return;  // a double click adds once
    sending.add(form);
    form.setAttribute("aria-busy", "true");
    add(form, event.submitter)
      .catch(() => form.submit())
      .finally(() => {
        sending.delete(form);
        form.removeAttribute("aria-busy");
      });
  });
})();
