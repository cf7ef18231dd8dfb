// Shows how far the test has come, every second, until the load tester is gone.
const live = document.getElementById("live");

async function look() {
  let html;
  try {
    const answer = await fetch("now", { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.statusText);
    html = await answer.text();
  } catch {
    document.title = "Ended: Standin load test";
    const badge = live.querySelector(".badge");
    if (badge) badge.textContent = "ENDED";
    return;
  }
  // Whoever is reading or copying is not disturbed.
  if (getSelection().isCollapsed) {
    const scrolled = [...live.querySelectorAll(".scroll")].map((part) => part.scrollLeft);
    live.innerHTML = html;
    live.querySelectorAll(".scroll").forEach((part, number) => { part.scrollLeft = scrolled[number] ?? 0; });
  }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
