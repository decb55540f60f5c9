// A table that is wider than the text takes the room beside it. What is wider still says that it
// scrolls, and can be scrolled with the keyboard too.
const BOXES = ".table-wrapper, .drawn, p:has(img.wide)";
const NARROW = 0.4; // the most of a box that a first column may take and still stay in view

const wider = (box) => box.scrollWidth > box.clientWidth + 1;

function mark(box) {
  box.classList.remove("roomy", "scrolls", "steady");
  box.classList.toggle("roomy", wider(box));
  if (wider(box)) {
    const first = box.querySelector("tr > :first-child");
    box.tabIndex = 0;
    box.classList.add("scrolls");
    box.classList.toggle("steady", first !== null && first.offsetWidth < NARROW * box.clientWidth);
  } else {
    box.removeAttribute("tabindex");
  }
}

const marked = () => document.querySelectorAll(BOXES).forEach(mark);
window.addEventListener("load", marked);
window.addEventListener("resize", marked);
