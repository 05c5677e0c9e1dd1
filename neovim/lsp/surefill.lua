---@brief
--- Surefill: code completion by a local model that shows only what it has checked.
--- `vim.lsp.enable("surefill")` is all it needs; see |surefill.txt|.

---@type vim.lsp.Config
return {
  cmd = { "surefill", "lsp" },
  filetypes = {
    "bash",
    "c",
    "cpp",
    "cuda",
    "go",
    "html",
    "java",
    "javascript",
    "javascriptreact",
    "json",
    "jsonc",
    "python",
    "rust",
    "sh",
    "sql",
    "typescript",
    "typescriptreact",
    "zsh",
  },
  root_markers = {
    { "pyproject.toml", "package.json", "go.mod", "Cargo.toml", "pom.xml", "CMakeLists.txt" },
    ".git",
  },
  get_language_id = function(_, filetype)
    return filetype == "cuda" and "cuda-cpp" or filetype
  end,
  handlers = {
    ["window/logMessage"] = function(err, message, context)
      require("surefill.log").add(message)
      return vim.lsp.handlers["window/logMessage"](err, message, context)
    end,
  },
  on_exit = function(code, signal, id)
    vim.schedule(function()
      require("surefill.server").exited(code, signal, id)
    end)
  end,
}
