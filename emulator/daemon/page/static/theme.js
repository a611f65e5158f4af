// The theme that was chosen here before, set before anything is drawn.
"use strict";
const chosenTheme = localStorage.getItem("nlemu-theme");
if (chosenTheme === "light" || chosenTheme === "dark") document.documentElement.dataset.theme = chosenTheme;
