--- Surefill for Neovim: what configurations and key maps call. See |surefill.txt|.

local M = {}

---@param message string
---@param level? integer One of `vim.log.levels`.
local function tell(message, level)
  vim.notify("Surefill: " .. message, level or vim.log.levels.INFO)
end

--- Take options and start the server where its languages are edited.
---@param given? table See |surefill-options|.
function M.setup(given)
  local options = require("surefill.options")
  local parsed, problems = options.parse(given == nil and {} or given)
  for _, problem in ipairs(problems) do
    tell(problem, vim.log.levels.WARN)
  end
  if parsed.settings.enabled == nil and M.paused() then
    parsed.settings.enabled = false -- a configuration that is read again resumes nothing
  end
  options.current = parsed
  vim.lsp.config("surefill", {
    cmd = parsed.cmd,
    filetypes = parsed.filetypes,
    settings = { surefill = options.as_json(parsed.settings) },
  })
  vim.lsp.enable("surefill")
end

--- Change settings of the server while it runs, such as `{ completion = { alternatives = 3 } }`.
---@param settings table Names as in the table of settings, without `surefill.`; others stay.
function M.configure(settings)
  vim.validate("settings", settings, "table")
  require("surefill.server").configure(settings)
end

--- Accept the suggestion that is shown. For |:map-expression|s, too.
---@return boolean accepted False where there is none.
function M.accept()
  return require("surefill.inline").accept("all")
end

--- Accept the next word of the suggestion.
---@return boolean accepted
function M.accept_word()
  return require("surefill.inline").accept("word")
end

--- Accept the suggestion's text up to the end of a line.
---@return boolean accepted
function M.accept_line()
  return require("surefill.inline").accept("line")
end

--- Show another suggestion for the same place; there are several with `completion.alternatives`.
---@param count integer How many further; negative goes back.
function M.cycle(count)
  require("surefill.inline").cycle(count)
end

--- Hide the suggestion; the next one comes with the next key.
---@return boolean dismissed False where there was none.
function M.dismiss()
  return require("surefill.inline").dismiss()
end

--- Suggest nothing more, in no buffer, until `resume`.
function M.pause()
  M.configure({ enabled = false })
  M.dismiss()
end

--- Suggest again.
function M.resume()
  M.configure({ enabled = true })
end

---@return boolean
function M.paused()
  return require("surefill.options").current.settings.enabled == false
end

--- Pause, or resume where it is paused.
function M.toggle()
  if M.paused() then
    M.resume()
  else
    M.pause()
  end
end

--- End the server and start it again, for all buffers that it serves.
function M.restart()
  require("surefill.server").restart()
end

--- Open a page that says why the last suggestion in this buffer was what it was.
function M.explain()
  local client = require("surefill.server").client(0)
  if not client then
    tell("no server is attached to this buffer; see :checkhealth surefill", vim.log.levels.WARN)
    return
  end
  local command = { command = "surefill.explain", arguments = { vim.uri_from_bufnr(0) } }
  client:request("workspace/executeCommand", command, function(err, text)
    if err then
      tell(err.message, vim.log.levels.ERROR)
    else
      require("surefill.page").show("explanation", vim.split(text, "\n"), "markdown")
    end
  end)
end

--- Open what the server has logged.
function M.log()
  require("surefill.page").show("log", require("surefill.log").lines(), "")
end

--- Run `surefill doctor` and open what it says.
function M.doctor()
  local page, server = require("surefill.page"), require("surefill.server")
  local started, problem = server.run(server.doctor_arguments(), function(result)
    page.show("doctor", vim.split(vim.trim(result.stdout .. result.stderr), "\n"), "")
  end)
  if started then
    page.show("doctor", { "Looking at model, grammars and type checker ..." }, "")
  else
    tell(problem, vim.log.levels.ERROR)
  end
end

--- One word or two for a statusline; empty in buffers that Surefill does not serve.
---@param bufnr? integer The current one if left out.
---@return string
function M.status(bufnr)
  return require("surefill.status").text(bufnr or 0)
end

return M
