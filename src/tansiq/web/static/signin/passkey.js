// Passkeys: a form that says what to do (data-passkey: create, get, login), and a field for what the browser answers.
// Loaded after allauth's webauthn-json.js, which turns the server's JSON into what the browser wants and back.
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form[data-passkey]")) attend(form);
});

function attend(form) {
  const button = form.querySelector("[data-passkey-button]");
  const trouble = form.querySelector("[data-passkey-trouble]");
  if (!window.PublicKeyCredential || !window.webauthnJSON.supported()) {
    button.disabled = true;
    show(trouble, "unsupported");
    return;
  }
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    show(trouble, "");
    button.setAttribute("aria-busy", "true");
    try {
      form.querySelector("[name=credential]").value = JSON.stringify(await ask(form));
      form.submit();
    } catch (error) {
      console.debug(error);
      show(trouble, error instanceof TypeError ? "offline" : "refused");
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

async function ask(form) {
  if (form.dataset.passkey === "login") return window.webauthnJSON.get(await options(form.action));
  const said = JSON.parse(document.getElementById(form.dataset.passkeyOptions).textContent);
  if (form.dataset.passkey === "get") return window.webauthnJSON.get(said.request_options);
  const wanted = said.creation_options;
  // One that the browser can offer without a name typed first, and that asks who holds it.
  Object.assign(wanted.publicKey.authenticatorSelection, {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  });
  return window.webauthnJSON.create(wanted);
}

async function options(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new TypeError(`${response.status}`);
  return (await response.json()).request_options;
}

function show(trouble, which) {
  for (const words of trouble.children) words.hidden = words.dataset.when !== which;
  trouble.hidden = !which;
}
