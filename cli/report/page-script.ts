/**
 * Shows what a square of a map says, which is its label, when it is pointed at, tapped or reached by keyboard. It only copies text into
 * text. Without it, the lists below the maps say the same.
 */
export const script = `'use strict';
const note = document.getElementById('note');
const selector = '.map rect[aria-label]';
let shown = null;

function show(square) {
  if (shown === square) return;
  hide();
  shown = square;
  square.classList.add('on');
  note.textContent = '';
  for (const line of square.getAttribute('aria-label').split(' \\u00b7 ')) {
    const p = document.createElement('p');
    p.textContent = line;
    note.append(p);
  }
  note.hidden = false;
  const at = square.getBoundingClientRect();
  const size = note.getBoundingClientRect();
  const left = Math.min(at.left, document.documentElement.clientWidth - size.width - 8);
  const above = at.bottom + 6 + size.height > innerHeight;
  note.style.left = Math.max(left, 8) + scrollX + 'px';
  note.style.top = (above ? at.top - size.height - 6 : at.bottom + 6) + scrollY + 'px';
}

function hide() {
  if (shown !== null) shown.classList.remove('on');
  shown = null;
  note.hidden = true;
}

document.addEventListener('pointerover', (event) => {
  const square = event.target.closest(selector);
  if (square !== null) show(square);
  else if (!note.contains(event.target) && !event.target.closest('.map')) {
    if (shown !== document.activeElement) hide();
  }
});
document.addEventListener('click', (event) => {
  const square = event.target.closest(selector);
  if (square !== null) show(square);
  else if (!note.contains(event.target)) hide();
});
document.addEventListener('focusin', (event) => {
  const square = event.target.closest(selector);
  if (square !== null) show(square);
  else hide();
});
document.addEventListener('focusout', hide);
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') return hide();
  const square = event.target.closest(selector);
  if (square === null) return;
  const squares = [...square.closest('.map').querySelectorAll(selector)];
  const index = squares.indexOf(square);
  const target = {
    ArrowRight: squares[index + 1],
    ArrowDown: squares[index + 1],
    ArrowLeft: squares[index - 1],
    ArrowUp: squares[index - 1],
    Home: squares[0],
    End: squares[squares.length - 1],
  }[event.key];
  if (target === undefined) return;
  event.preventDefault();
  square.setAttribute('tabindex', '-1');
  target.setAttribute('tabindex', '0');
  target.focus();
});
`;
