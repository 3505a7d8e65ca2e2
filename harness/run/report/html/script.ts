/** The script of the page: filters, unfolding link targets, and unfolding everything for printing. The content does not need it. */
export const script = `
(() => {
  const section = document.getElementById('requirements');
  if (section) {
    const bar = section.querySelector('.filter');
    const search = bar.querySelector('input');
    let chosen = 'all';
    const apply = () => {
      const words = search.value.toLowerCase();
      for (const row of section.querySelectorAll('tbody tr')) {
        const fits = chosen === 'all' || row.dataset.result === chosen;
        row.hidden = !(fits && row.textContent.toLowerCase().includes(words));
      }
    };
    bar.hidden = false;
    bar.addEventListener('click', (event) => {
      const button = event.target.closest('button');
      if (!button) return;
      chosen = button.dataset.filter;
      for (const other of bar.querySelectorAll('button')) other.setAttribute('aria-pressed', String(other === button));
      apply();
    });
    search.addEventListener('input', apply);
  }
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let details = target.closest('details'); details; details = details.parentElement.closest('details')) {
      details.open = true;
    }
    target.scrollIntoView();
  };
  addEventListener('hashchange', reveal);
  reveal();
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = [...document.querySelectorAll('details:not([open])')];
    for (const details of folded) details.open = true;
  });
  addEventListener('afterprint', () => {
    for (const details of folded) details.open = false;
  });
})();
`;
