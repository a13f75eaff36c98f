for (const text of document.querySelectorAll("pre[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  const row = document.createElement("div");
  row.className = "copyable";
  text.replaceWith(row);
  row.append(text, button);
  const selected = () => {
    getSelection().selectAllChildren(text);
    button.textContent = "Selected";
  };
  button.addEventListener("click", () => {
    if (!navigator.clipboard) return selected();
    navigator.clipboard.writeText(text.textContent).then(() => {
      button.textContent = "Copied";
    }, selected);
  });
}
