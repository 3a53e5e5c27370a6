// The page of /docs: Swagger UI, which asks with the API key that the chat page keeps in this browser.
const refused = document.getElementById("refused");
const [before, link] = navigator.language.startsWith("zh")
  ? ["需要 API 密钥：请先在聊天页面中输入，再重新加载本页。", "打开聊天页面"]
  : ["An API key is needed: enter it on the chat page, then load this page again. ", "Open the chat page"];
refused.append(before, Object.assign(document.createElement("a"), { href: "/", textContent: link }));

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  requestInterceptor(request) {
    const key = localStorage.getItem("apiKey");
    if (key && !request.headers.Authorization && new URL(request.url, location).origin === location.origin) {
      request.headers.Authorization = `Bearer ${key}`;
    }
    return request;
  },
  responseInterceptor(response) {
    if (response.url.endsWith("/openapi.json")) refused.hidden = response.status !== 401;
    return response;
  },
});
