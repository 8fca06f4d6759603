"use strict";
// Light or dark as the reader's system is, also when that changes.
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", paint);
paint();
// Both lie beside this script, wherever a domain maps the API.
const described = new URL("../openapi.json", document.currentScript.src);
const show = (spec) => SwaggerUIBundle({
  spec: { ...spec, servers: [{ url: new URL("..", described).pathname.slice(0, -1) || "/" }] },
  dom_id: "#page",
  deepLinking: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  filter: true,
  persistAuthorization: false,
  queryConfigEnabled: false,
  validatorUrl: null,
});
fetch(described).then((answer) => answer.json()).then(show);
