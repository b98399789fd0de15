(() => {
  const isDark = getComputedStyle(document.documentElement).getPropertyValue("--darkened") !== "";
  const facts = { blockedImages: BLOCKED, isPlain: PLAIN, isDark };
  let told = 0;
  const tell = () => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    if (height === told || height === 0) return;
    told = height;
    parent.postMessage({ ...facts, letterHeight: Math.max(height, document.documentElement.scrollWidth > innerWidth ? height + 16 : height) }, "*");
  };
  new ResizeObserver(tell).observe(document.body);
  addEventListener("load", tell);
  tell();
})();
