// Changes the cart without a reload: puts a product into it, and on the cart's page more or less of
// it. The forms and their answers are the server's; where this can't work (no connection, an old
// token), the browser sends the form itself, as it does without JavaScript.
(() => {
  "use strict";
  const SHOWN = 8000;
  const sending = new WeakSet();
  const plain = new WeakSet();  // forms that the browser sends itself
  const status = (className) => {
    const region = document.createElement("div");
    region.className = className;
    region.setAttribute("role", "status");
    document.body.append(region);
    return region;
  };
  const region = status("toasts");
  const said = status("visually-hidden");
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

  // The answer is the cart's page. The shopper stays at her line, with the focus where it was.
  const change = async (form, button) => {
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST",
      body: new FormData(form, button),
      keepalive: true,
    });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const sum = ".totals-sum, .empty h1";
    if (!page.querySelector(sum)) throw new Error("no page of the cart");
    const focused = document.activeElement?.id;
    for (const id of ["main", "cart-link"]) {
      document.getElementById(id).replaceWith(document.adoptNode(page.getElementById(id)));
    }
    const kept = focused && document.getElementById(focused);
    (kept || document.getElementById("main")).focus({ preventScroll: true });
    said.textContent = document.querySelector(sum).innerText;
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    const send = form.matches(".buy, .card-add") ? add : form.matches(".cart-line form") && change;
    if (event.defaultPrevented || !send || plain.has(form)) return;
    event.preventDefault();
    if (sending.has(form)) return;  // a double click counts once
    sending.add(form);
    form.setAttribute("aria-busy", "true");
    send(form, event.submitter)
      .catch(() => {
        plain.add(form);
        form.requestSubmit(event.submitter);
      })
      .finally(() => {
        sending.delete(form);
        form.removeAttribute("aria-busy");
      });
  });
})();
