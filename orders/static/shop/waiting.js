// The page of an order that waits: it sends the same form, with the same key, again and again, as the
// button does without JavaScript. It waits as long as the shop says, and a little longer by chance,
// so that those who wait together don't come back together. After two minutes it stops.
(() => {
  "use strict";
  const GIVE_UP = 120;
  const started = Date.now() - 1000 * Number(document.getElementById("waiting").dataset.waited);

  const page = () => document.getElementById("waiting");
  const next = () => page().querySelector(".waiting-next");
  const waited = () => (Date.now() - started) / 1000;
  const sleep = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));

  const send = async () => {
    const form = page().querySelector("form");
    const body = new FormData(form);
    body.set("script", "1"); // which can't follow to a payment provider's site
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body });
    const shown = new DOMParser().parseFromString(await answer.text(), "text/html");
    const still = shown.getElementById("waiting");
    if (!still) {
      location.replace(answer.url);  // the order, or the checkout with something to decide
      return true;
    }
    page().replaceWith(document.adoptNode(still));
    return false;
  };

  const run = async () => {
    while (waited() < GIVE_UP) {
      const seconds = Number(page().dataset.retryAfter) * (1 + Math.random() / 2);
      next().textContent = next().dataset.next.replace("#", Math.ceil(seconds));
      await sleep(seconds);
      next().textContent = next().dataset.now;
      try {
        if (await send()) return;
      } catch {
        // No connection: the next try comes as if the shop were busy.
      }
    }
    page().classList.add("has-given-up");
    next().textContent = next().dataset.givenUp;
  };

  run();
})();
