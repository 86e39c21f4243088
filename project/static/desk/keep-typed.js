// Fields that another country's replace ([data-keep-typed]): what is typed while htmx fetches the new
// ones goes on in them.
(() => {
  "use strict";
  let typed = new Map();
  const fields = (event) =>
    event.detail.target.hasAttribute("data-keep-typed")
      ? [...document.getElementById(event.detail.target.id).querySelectorAll("input, select")]
      : [];
  const isHidden = (field) => field.type === "hidden";

  document.addEventListener("htmx:beforeSwap", (event) => {
    typed = new Map(fields(event).filter((field) => !isHidden(field)).map((field) => [field.name, field.value]));
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    for (const field of fields(event)) {
      const value = typed.get(field.name);
      const isOffered = !field.options || [...field.options].some((one) => one.value === value);
      if (value && isOffered) field.value = value;
    }
  });
})();
