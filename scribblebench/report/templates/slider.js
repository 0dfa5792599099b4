for (const box of document.querySelectorAll(".panels")) {
  const steps = [...box.querySelectorAll(".step")];
  const slider = box.querySelector(".slider");
  const range = slider.querySelector("input");
  const show = () => {
    steps.forEach((step, index) => { step.hidden = index !== Number(range.value); });
    const label = steps[range.value].dataset.label;
    slider.querySelector("output").textContent = label;
    range.setAttribute("aria-valuetext", label);
  };
  range.addEventListener("input", show);
  slider.hidden = steps.length < 2;
  show();
}
