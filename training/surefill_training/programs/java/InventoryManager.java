package com.example.warehouse;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Keeps track of what lies in the warehouse. Not thread-safe.
 */
public class InventoryManager {

    private static final int LOW_STOCK_THRESHOLD = 5;

    private final Map<String, Item> items = new HashMap<>();
    private final List<StockListener> listeners = new ArrayList<>();

    public interface StockListener {
        void onLowStock(Item item);
    }

    public static class Item {
        private final String sku;
        private final String name;
        private final BigDecimal price;
        private int quantity;

        public Item(String sku, String name, BigDecimal price, int quantity) {
            this.sku = sku;
            this.name = name;
            this.price = price;
            this.quantity = quantity;
        }

        public String getSku() {
            return sku;
        }

        public String getName() {
            return name;
        }

        public int getQuantity() {
            return quantity;
        }

        public BigDecimal getValue() {
            return price.multiply(BigDecimal.valueOf(quantity));
        }

        @Override
        public String toString() {
            return String.format("%s (%s): %d x %s", name, sku, quantity, price);
        }
    }

    public void addListener(StockListener listener) {
        listeners.add(listener);
    }

    public void addItem(Item item) {
        if (items.containsKey(item.getSku())) {
            throw new IllegalArgumentException("Duplicate SKU: " + item.getSku());
        }
        items.put(item.getSku(), item);
    }

    public Optional<Item> find(String sku) {
        return Optional.ofNullable(items.get(sku));
    }

    /**
     * Takes items out of stock.
     *
     * @throws IllegalStateException if there are not enough of them
     */
    public void remove(String sku, int quantity) {
        Item item = find(sku).orElseThrow(() -> new IllegalArgumentException("Unknown SKU: " + sku));
        if (item.quantity < quantity) {
            throw new IllegalStateException("Only " + item.quantity + " left of " + item.name);
        }
        item.quantity -= quantity;
        if (item.quantity < LOW_STOCK_THRESHOLD) {
            listeners.forEach(listener -> listener.onLowStock(item));
        }
    }

    public BigDecimal totalValue() {
        return items.values().stream()
                .map(Item::getValue)
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    public List<Item> lowStock() {
        return items.values().stream()
                .filter(item -> item.quantity < LOW_STOCK_THRESHOLD)
                .sorted(Comparator.comparing(Item::getName))
                .collect(Collectors.toList());
    }

    public static void main(String[] args) {
        InventoryManager inventory = new InventoryManager();
        inventory.addListener(item -> System.out.println("Reorder " + item.getName()));
        inventory.addItem(new Item("A-100", "Desk lamp", new BigDecimal("24.90"), 7));
        inventory.addItem(new Item("B-200", "Office chair", new BigDecimal("189.00"), 12));
        inventory.remove("A-100", 3);
        inventory.lowStock().forEach(System.out::println);
        System.out.println("Total value: " + inventory.totalValue());
    }
}
