import tkinter as tk
from tkinter import messagebox, ttk

LENGTHS = {
    "metre": 1.0,
    "kilometre": 1000.0,
    "centimetre": 0.01,
    "mile": 1609.344,
    "foot": 0.3048,
    "inch": 0.0254,
}


class Converter(tk.Tk):
    def __init__(self):
        super().__init__()
        self.title("Unit converter")
        self.resizable(False, False)

        self.value = tk.StringVar(value="1")
        self.source = tk.StringVar(value="metre")
        self.target = tk.StringVar(value="foot")
        self.result = tk.StringVar()

        self.create_widgets()
        self.convert()

    def create_widgets(self):
        frame = ttk.Frame(self, padding=12)
        frame.grid(row=0, column=0, sticky="nsew")

        ttk.Label(frame, text="Value").grid(row=0, column=0, sticky="w")
        entry = ttk.Entry(frame, textvariable=self.value, width=15)
        entry.grid(row=0, column=1, pady=4)
        entry.bind("<Return>", lambda event: self.convert())
        entry.focus()

        ttk.Label(frame, text="From").grid(row=1, column=0, sticky="w")
        source = ttk.Combobox(frame, textvariable=self.source, values=list(LENGTHS))
        source.grid(row=1, column=1, pady=4)

        ttk.Label(frame, text="To").grid(row=2, column=0, sticky="w")
        target = ttk.Combobox(frame, textvariable=self.target, values=list(LENGTHS))
        target.grid(row=2, column=1, pady=4)

        button = ttk.Button(frame, text="Convert", command=self.convert)
        button.grid(row=3, column=0, pady=8)
        swap = ttk.Button(frame, text="Swap", command=self.swap)
        swap.grid(row=3, column=1, pady=8)

        label = ttk.Label(frame, textvariable=self.result, font=("Helvetica", 16))
        label.grid(row=4, column=0, columnspan=2)

    def convert(self):
        try:
            value = float(self.value.get().replace(",", "."))
        except ValueError:
            messagebox.showerror("Error", "Please enter a number")
            return
        metres = value * LENGTHS[self.source.get()]
        result = metres / LENGTHS[self.target.get()]
        self.result.set(f"{result:.4f} {self.target.get()}")

    def swap(self):
        source, target = self.source.get(), self.target.get()
        self.source.set(target)
        self.target.set(source)
        self.convert()


if __name__ == "__main__":
    app = Converter()
    app.mainloop()
