// The two pictures: beside each other, below each other, or one over the other.

const GAP_PX = 12;
const BESIDE_BONUS = 1.2; // beside each other even if they are a little smaller then

export class Stage {
  #element;
  #photo;
  #result;
  #split;

  constructor(element, { photo, result, split }) {
    this.#element = element;
    this.#photo = photo;
    this.#result = result;
    this.#split = split;
    new ResizeObserver(() => this.layOut()).observe(element);
    split.addEventListener('input', () => this.#showSplit());
    element.addEventListener('pointerdown', (event) => this.#drag(event));
    element.addEventListener('pointermove', (event) => event.buttons && this.#drag(event));
    this.#showSplit();
  }

  /** The canvas of the photo. */
  get photo() {
    return this.#photo;
  }

  get compares() {
    return this.#element.dataset.view === 'compare';
  }

  set compares(yes) {
    this.#element.dataset.view = yes ? 'compare' : 'side';
    this.layOut();
  }

  /** The context of the photo's canvas. A change of size clears both pictures. */
  photoContext(width, height) {
    if (this.#photo.width !== width || this.#photo.height !== height) {
      for (const canvas of [this.#photo, this.#result]) Object.assign(canvas, { width, height });
      this.layOut();
    }
    return contextOf(this.#photo);
  }

  showResult(image) {
    contextOf(this.#result).putImageData(image, 0, 0);
  }

  clearResult() {
    contextOf(this.#result).clearRect(0, 0, this.#result.width, this.#result.height);
  }

  /** Make the pictures as large as the stage allows. */
  layOut() {
    const width = this.#element.clientWidth;
    const height = parseFloat(getComputedStyle(this.#element).maxHeight);
    const aspect = this.#photo.width / this.#photo.height;
    const row = widthIn((width - GAP_PX) / 2, height, aspect);
    const column = widthIn(width, (height - GAP_PX) / 2, aspect);
    const beside = row * BESIDE_BONUS >= column;
    const size = this.compares ? widthIn(width, height, aspect) : beside ? row : column;
    this.#element.dataset.direction = beside ? 'row' : 'column';
    this.#element.style.setProperty('--width', `${size}px`);
    this.#element.style.setProperty('--height', `${size / aspect}px`);
  }

  #showSplit() {
    this.#element.style.setProperty('--split', `${this.#split.value}%`);
  }

  #drag(event) {
    if (!this.compares || !event.isPrimary) return;
    const { left, width } = this.#result.getBoundingClientRect();
    this.#split.value = (100 * (event.clientX - left)) / width;
    this.#showSplit();
  }
}

function widthIn(width, height, aspect) {
  return Math.max(1, Math.floor(Math.min(width, height * aspect)));
}

function contextOf(canvas) {
  return canvas.getContext('2d', { willReadFrequently: true });
}
