/** Hands a file to the reader. Nothing leaves the page: the file is made here, and also from file:// . */

/** PNG has this many dots to a unit of the drawing, fewer where a browser could not hold it. */
const DENSITY = 2;
const MOST_DOTS = 16_000_000;

export function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // Some browsers read the file after the click returns.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function svgBlob(picture: SVGSVGElement): Blob {
  const text = new XMLSerializer().serializeToString(picture);
  return new Blob([`<?xml version="1.0" encoding="UTF-8"?>\n${text}\n`], { type: "image/svg+xml" });
}

/** Throws Error where the browser cannot draw the picture. */
export async function pngBlob(picture: SVGSVGElement): Promise<Blob> {
  const width = Number(picture.getAttribute("width"));
  const height = Number(picture.getAttribute("height"));
  const density = Math.min(DENSITY, Math.sqrt(MOST_DOTS / (width * height)));
  const url = URL.createObjectURL(svgBlob(picture));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const context = canvas.getContext("2d");
    if (!context) throw new Error("the browser has no canvas");
    context.scale(density, density);
    context.drawImage(image, 0, 0, width, height);
    return await new Promise((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is empty"))), "image/png");
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}
