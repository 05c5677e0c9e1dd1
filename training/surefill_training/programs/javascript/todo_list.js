// Todo list without a framework. Expects #todo-form, #todo-input, #todo-list,
// #todo-count and a group of filter buttons with data-filter in the page.
const STORAGE_KEY = "todos";

const form = document.querySelector("#todo-form");
const input = document.querySelector("#todo-input");
const list = document.querySelector("#todo-list");
const counter = document.querySelector("#todo-count");
const filterButtons = document.querySelectorAll("[data-filter]");

let todos = load();
let filter = "all";

function load() {
    const saved = localStorage.getItem(STORAGE_KEY);
    return saved ? JSON.parse(saved) : [];
}

function save() {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(todos));
}

function addTodo(text) {
    todos.push({ id: Date.now(), text, done: false });
    update();
}

function toggleTodo(id) {
    todos = todos.map(todo => (todo.id === id ? { ...todo, done: !todo.done } : todo));
    update();
}

function removeTodo(id) {
    todos = todos.filter(todo => todo.id !== id);
    update();
}

function visibleTodos() {
    switch (filter) {
        case "open":
            return todos.filter(todo => !todo.done);
        case "done":
            return todos.filter(todo => todo.done);
        default:
            return todos;
    }
}

function createItem(todo) {
    const item = document.createElement("li");
    item.className = todo.done ? "todo done" : "todo";
    item.dataset.id = todo.id;

    const checkbox = document.createElement("input");
    checkbox.type = "checkbox";
    checkbox.checked = todo.done;
    checkbox.addEventListener("change", () => toggleTodo(todo.id));

    const label = document.createElement("span");
    label.textContent = todo.text;

    const button = document.createElement("button");
    button.textContent = "×";
    button.setAttribute("aria-label", `Remove ${todo.text}`);
    button.addEventListener("click", () => removeTodo(todo.id));

    item.append(checkbox, label, button);
    return item;
}

function render() {
    list.innerHTML = "";
    for (const todo of visibleTodos()) {
        list.appendChild(createItem(todo));
    }
    const open = todos.filter(todo => !todo.done).length;
    counter.textContent = `${open} ${open === 1 ? "item" : "items"} left`;
    filterButtons.forEach(button => {
        button.classList.toggle("active", button.dataset.filter === filter);
    });
}

function update() {
    save();
    render();
}

form.addEventListener("submit", event => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    addTodo(text);
    input.value = "";
    input.focus();
});

filterButtons.forEach(button => {
    button.addEventListener("click", () => {
        filter = button.dataset.filter;
        render();
    });
});

document.querySelector("#clear-done").addEventListener("click", () => {
    todos = todos.filter(todo => !todo.done);
    update();
});

render();
