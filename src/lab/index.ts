export { LAB_TESTS, type LabDocument, type LabOptions, type LabTest } from "./document.js";
export { LabError } from "./lab-error.js";
export { cleanUp, runLab } from "./lab.js";
export { PATHS } from "./paths/index.js";
export { renderPage } from "./page.js";
