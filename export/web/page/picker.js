// The styles as radio buttons with pictures: the arrow keys come with them.

/** Fill `cards` and call `choose(style)` whenever another one is chosen. */
export function showStyles(cards, styles, choose) {
  cards.replaceChildren(...styles.map((style, index) => card(style, index, choose)));
}

/** `starry_night` for people. */
export function title(style) {
  const words = style.title ?? style.name.replace(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Who painted it, where the model tells. */
export function credit(style) {
  return [style.artist, style.license].filter(Boolean).join(' · ');
}

function card(style, index, choose) {
  const label = document.createElement('label');
  const radio = Object.assign(document.createElement('input'), {
    type: 'radio', name: 'style', value: style.name, checked: index === 0,
  });
  const picture = Object.assign(document.createElement('img'), {
    src: style.picture, alt: '', width: 360, height: 240,
  });
  const name = Object.assign(document.createElement('span'), { textContent: title(style) });
  radio.addEventListener('change', () => choose(style));
  label.append(radio, picture, name);
  return label;
}
