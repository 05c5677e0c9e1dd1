import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Scanner;

public class TextAdventure {
    enum Direction {
        NORTH, SOUTH, EAST, WEST;

        Direction opposite() {
            switch (this) {
                case NORTH: return SOUTH;
                case SOUTH: return NORTH;
                case EAST: return WEST;
                default: return EAST;
            }
        }
    }

    static class Room {
        final String name;
        final String description;
        final Map<Direction, Room> exits = new LinkedHashMap<>();
        final List<String> things = new ArrayList<>();

        Room(String name, String description) {
            this.name = name;
            this.description = description;
        }

        void connect(Direction direction, Room other) {
            exits.put(direction, other);
            other.exits.put(direction.opposite(), this);
        }
    }

    private Room current;
    private final List<String> inventory = new ArrayList<>();
    private boolean running = true;

    public TextAdventure() {
        Room hall = new Room("Hall", "Dust dances in the light of a broken window.");
        Room kitchen = new Room("Kitchen", "It smells of cold ashes.");
        Room cellar = new Room("Cellar", "You can hardly see your own hands.");
        Room garden = new Room("Garden", "Nettles, as high as your shoulders.");
        hall.connect(Direction.EAST, kitchen);
        hall.connect(Direction.SOUTH, garden);
        kitchen.connect(Direction.NORTH, cellar);
        kitchen.things.add("lantern");
        cellar.things.add("key");
        current = hall;
    }

    private void look() {
        System.out.println("== " + current.name + " ==");
        System.out.println(current.description);
        for (String thing : current.things) {
            System.out.println("There is a " + thing + " here.");
        }
        System.out.println("Exits: " + current.exits.keySet());
    }

    private void go(String where) {
        try {
            Room next = current.exits.get(Direction.valueOf(where.toUpperCase()));
            if (next == null) {
                System.out.println("There is no way in that direction.");
                return;
            }
            // too dark without a light
            if (next.name.equals("Cellar") && !inventory.contains("lantern")) {
                System.out.println("It is too dark down there.");
                return;
            }
            current = next;
            look();
        } catch (IllegalArgumentException e) {
            System.out.println("Go where?");
        }
    }

    private void take(String thing) {
        if (current.things.remove(thing)) {
            inventory.add(thing);
            System.out.println("You take the " + thing + ".");
        } else {
            System.out.println("You see no " + thing + " here.");
        }
    }

    private void execute(String line) {
        String[] words = line.trim().toLowerCase().split("\\s+", 2);
        String argument = words.length > 1 ? words[1] : "";
        switch (words[0]) {
            case "look" -> look();
            case "go" -> go(argument);
            case "take" -> take(argument);
            case "inventory" -> System.out.println("You carry: " + String.join(", ", inventory));
            case "quit" -> running = false;
            default -> System.out.println("I do not understand that.");
        }
    }

    public static void main(String[] args) {
        TextAdventure game = new TextAdventure();
        Scanner scanner = new Scanner(System.in);
        game.look();
        while (game.running && scanner.hasNextLine()) {
            game.execute(scanner.nextLine());
        }
        System.out.println("Goodbye!");
    }
}
