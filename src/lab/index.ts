export { LAB_TESTS, type LabDocument, type LabOptions, type LabTest } from "./document.js";
export { LabError } from "./lab-error.js";
export { runLab } from "./lab.js";
export { removeLeftovers } from "./namespaces.js";
export { PATHS } from "./paths/index.js";
export { renderPage } from "./page.js";
