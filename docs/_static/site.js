// What is wider than its box says so, and can be scrolled with the keyboard too.
const BOXES = ".table-wrapper, .drawn, p:has(img.wide)";
const NARROW = 0.4; // the most of a box that a first column may take and still stay in view

function mark(box) {
  const scrolls = box.scrollWidth > box.clientWidth + 1;
  box.classList.toggle("scrolls", scrolls);
  if (scrolls) {
    box.tabIndex = 0;
    const first = box.querySelector("tr > :first-child");
    box.classList.toggle("steady", first !== null && first.offsetWidth < NARROW * box.clientWidth);
  }
}

const marked = () => document.querySelectorAll(BOXES).forEach(mark);
window.addEventListener("load", marked);
window.addEventListener("resize", marked);
