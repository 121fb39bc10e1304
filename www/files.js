// What a file is called, how large it is in words, and which files are pictures that a page may show.
// Does not know where files come from, nor how they are shown.

/** Of points alone: a drawing in SVG is a page of its own, with whatever its author put into it. */
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];
const UNITS = ["KB", "MB", "GB"];

export const isPicture = (type) => PICTURES.includes(type);

export function sizeWords(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  let [size, unit] = [bytes / 1000, 0];
  while (size >= 999.5 && unit < UNITS.length - 1) [size, unit] = [size / 1000, unit + 1];
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${UNITS[unit]}`;
}

/** A file of a message by its name, or by what it is. */
export function fileName({ fileName: name, contentType = "", style }) {
  if (name) return name;
  if (style === "voice") return "Voice message";
  if (isPicture(contentType)) return "Photo";
  return contentType.startsWith("video/") ? "Video" : "File";
}

/** A message without a text, in a few words. */
export function gistOfFiles(attachments) {
  if (attachments.length === 0) return "";
  if (attachments.length === 1) {
    const [only] = attachments;
    return isPicture(only.contentType) ? "Photo" : fileName(only);
  }
  const pictures = attachments.every(({ contentType }) => isPicture(contentType));
  return `${attachments.length} ${pictures ? "photos" : "files"}`;
}

/** Width and height of a picture that this browser can read. */
export async function dimensions(file) {
  if (!isPicture(file.type)) return {};
  try {
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    bitmap.close();
    return { width, height };
  } catch {
    return {}; // it is sent all the same
  }
}

/** Hands a file to the browser to be kept, under this name. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser reads it meanwhile
}
