// Conveniences only: without scripts the page says all the same. Examples are shown for the host that serves the page.
"use strict";
for (const sample of document.querySelectorAll(".shell code")) {
  if (location.protocol.startsWith("http")) {
    sample.textContent = sample.textContent.replaceAll("http://127.0.0.1:3000", location.origin);
  }
  if (!navigator.clipboard) continue;
  const copy = document.createElement("button");
  copy.type = "button";
  copy.textContent = "Copy";
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(sample.textContent);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  sample.closest(".shell").append(copy);
}
const search = document.querySelector("nav input");
search.hidden = false;
search.addEventListener("input", () => {
  const wanted = search.value.trim().toLowerCase();
  for (const entry of document.querySelectorAll("nav li")) {
    entry.hidden = !entry.textContent.toLowerCase().includes(wanted);
  }
});
