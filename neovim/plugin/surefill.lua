if vim.g.loaded_surefill then
  return
end
vim.g.loaded_surefill = true

if vim.fn.has("nvim-0.11.3") == 0 then
  vim.notify_once("Surefill: the plugin needs Neovim 0.11.3 or later.", vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command("Surefill", function(call)
  require("surefill.command").run(call.args)
end, {
  nargs = 1,
  desc = "Surefill: pause, resume, restart, explain, log or doctor",
  complete = function(typed)
    return require("surefill.command").matching(typed)
  end,
})

---@param modes string[]
---@param name string
---@param description string
---@param act fun(surefill: table)
local function offer(modes, name, description, act)
  vim.keymap.set(modes, ("<Plug>(surefill-%s)"):format(name), function()
    act(require("surefill"))
  end, { desc = "Surefill: " .. description })
end

offer({ "i" }, "accept", "accept the suggestion", function(surefill)
  surefill.accept()
end)
offer({ "i" }, "accept-word", "accept the next word", function(surefill)
  surefill.accept_word()
end)
offer({ "i" }, "accept-line", "accept the next line", function(surefill)
  surefill.accept_line()
end)
offer({ "i" }, "next", "show the next suggestion", function(surefill)
  surefill.cycle(1)
end)
offer({ "i" }, "previous", "show the previous suggestion", function(surefill)
  surefill.cycle(-1)
end)
offer({ "i" }, "dismiss", "hide the suggestion", function(surefill)
  surefill.dismiss()
end)
offer({ "n", "i" }, "explain", "explain the last suggestion", function(surefill)
  surefill.explain()
end)
offer({ "n", "i" }, "toggle", "pause or resume", function(surefill)
  surefill.toggle()
end)

local group = vim.api.nvim_create_augroup("surefill", {})

---@param event string
---@param act fun(client: vim.lsp.Client, event: vim.api.keyset.create_autocmd.callback_args)
local function on(event, act)
  vim.api.nvim_create_autocmd(event, {
    group = group,
    callback = function(arguments)
      local client = vim.lsp.get_client_by_id(arguments.data.client_id)
      if client and client.name == "surefill" then
        act(client, arguments)
      end
    end,
  })
end

on("LspAttach", function(client, event)
  require("surefill.attach").attach(client, event.buf)
end)
on("LspProgress", function(client)
  require("surefill.status").refresh(client)
end)
vim.api.nvim_create_autocmd("ColorScheme", {
  group = group,
  callback = function()
    local inline = require("surefill.options").current.inline
    if inline and #vim.lsp.get_clients({ name = "surefill" }) > 0 then
      require("surefill.inline").distinguish()
    end
  end,
})
