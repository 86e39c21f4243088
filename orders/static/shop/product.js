// A product's page: the gallery's thumbnails, its pictures in large, and the quantity's buttons.
// All of it works without this file: thumbnails are links into the row of pictures, a picture is a
// link to its large file, the quantity is a field, and a variant is chosen by the form's button.
(() => {
  "use strict";

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".buy-step");
    const field = button?.closest(".buy-stepper").querySelector("input");
    if (!field) return;
    if (Number(button.dataset.step) > 0) field.stepUp();
    else field.stepDown();
  });

  const setUp = (gallery) => {
    const row = gallery.querySelector(".gallery-row");
    const items = [...row.children];
    const thumbs = [...gallery.querySelectorAll(".gallery-thumbs a")];
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)");

    const show = (index, behavior = isCalm.matches ? "instant" : "smooth") =>
      row.scrollTo({ left: items[index].offsetLeft, behavior });

    thumbs.forEach((thumb, index) =>
      thumb.addEventListener("click", (event) => {
        event.preventDefault();
        show(index);
      }),
    );
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          thumbs.forEach((thumb, index) => {
            if (items[index] === entry.target) thumb.setAttribute("aria-current", "true");
            else thumb.removeAttribute("aria-current");
          });
        }
      },
      { root: row, threshold: 0.6 },
    );
    if (thumbs.length) items.forEach((item) => seen.observe(item));

    // ── Large pictures ───────────────────────────────────────────────────────────────────────
    const links = [...gallery.querySelectorAll("a[data-zoom]")];
    const words = gallery.dataset;
    let dialog, stage, image, larger;
    let current = 0;

    const button = (name, label, action) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = `zoom-${name}`;
      made.setAttribute("aria-label", label);
      made.title = label;
      made.addEventListener("click", action);
      return made;
    };

    // `point` is the place in the picture, from 0 to 1 in both directions, that stays in sight.
    const enlarge = (isLarge, point = [0.5, 0.5]) => {
      stage.classList.toggle("is-large", isLarge);
      const label = isLarge ? words.smaller : words.larger;
      larger.setAttribute("aria-label", label);
      larger.title = label;
      larger.classList.toggle("is-large", isLarge);
      stage.scrollTo(
        stage.scrollWidth * point[0] - stage.clientWidth / 2,
        stage.scrollHeight * point[1] - stage.clientHeight / 2,
      );
    };

    const turn = (to) => {
      current = (to + links.length) % links.length;
      const link = links[current];
      enlarge(false);
      image.width = Number(link.dataset.width);
      image.height = Number(link.dataset.height);
      image.alt = link.querySelector("img:not([aria-hidden])").alt;
      image.src = link.href;
      show(items.indexOf(link.closest("li")), "instant");
    };

    const build = () => {
      dialog = document.createElement("dialog");
      dialog.className = "zoom";
      dialog.setAttribute("aria-label", words.title);
      stage = document.createElement("div");
      stage.className = "zoom-stage";
      stage.tabIndex = 0;
      image = document.createElement("img");
      stage.append(image);
      larger = button("larger", words.larger, () => enlarge(!stage.classList.contains("is-large")));
      const bar = document.createElement("div");
      bar.className = "zoom-bar";
      const others = links.length > 1;
      if (others) bar.append(button("previous", words.previous, () => turn(current - 1)));
      bar.append(larger);
      if (others) bar.append(button("next", words.next, () => turn(current + 1)));
      bar.append(button("close", words.close, () => dialog.close()));
      dialog.append(stage, bar);
      document.body.append(dialog);

      image.addEventListener("click", (event) => {
        const box = image.getBoundingClientRect();
        enlarge(!stage.classList.contains("is-large"), [
          (event.clientX - box.left) / box.width,
          (event.clientY - box.top) / box.height,
        ]);
      });
      stage.addEventListener("click", (event) => event.target === stage && dialog.close());
      dialog.addEventListener("keydown", (event) => {
        const isLarge = stage.classList.contains("is-large");
        const turns = { ArrowLeft: -1, ArrowRight: 1 };
        if (event.key === "+" || event.key === "-") enlarge(event.key === "+");
        else if (turns[event.key] && !isLarge && others) turn(current + turns[event.key]);
        else return;
        event.preventDefault();
      });
      // A swipe turns to the next picture; in a large one it moves the picture.
      let from = null;
      stage.addEventListener("touchstart", (event) => {
        from = event.touches.length === 1 ? event.touches[0] : null;
      }, { passive: true });
      stage.addEventListener("touchend", (event) => {
        if (!from || !others || stage.classList.contains("is-large")) return;
        const by = event.changedTouches[0].clientX - from.clientX;
        if (Math.abs(by) > 50) turn(current + (by < 0 ? 1 : -1));
      });
    };

    links.forEach((link, index) =>
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;  // a new tab or window
        event.preventDefault();
        if (!dialog) build();
        dialog.showModal();
        turn(index);
        stage.focus();
      }),
    );
  };

  // A choice among variants replaces the article (htmx): its gallery is new, and so is the address.
  let known = document.querySelector(".gallery");
  if (known) setUp(known);
  document.addEventListener("htmx:load", () => {
    const gallery = document.querySelector(".gallery");
    if (!gallery || gallery === known) return;
    known = gallery;
    setUp(gallery);
    const { address } = document.getElementById("product").dataset;
    if (address) history.replaceState(history.state, "", address);
  });
})();
