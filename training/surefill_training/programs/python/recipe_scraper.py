from dataclasses import dataclass, field
from urllib.parse import urljoin
import csv
import logging
import sys

import requests
from bs4 import BeautifulSoup

logging.basicConfig(level=logging.INFO, format="%(message)s")


@dataclass
class Recipe:
    title: str
    url: str
    minutes: int = 0
    ingredients: list = field(default_factory=list)


def get_soup(url):
    response = requests.get(url, timeout=15)
    response.raise_for_status()
    return BeautifulSoup(response.text, "html.parser")


def recipe_links(index_url):
    soup = get_soup(index_url)
    for card in soup.select("div.recipe-card"):
        link = card.find("a", href=True)
        if link:
            yield urljoin(index_url, link["href"])


def parse_recipe(url):
    soup = get_soup(url)
    title = soup.find("h1").get_text(strip=True)
    recipe = Recipe(title=title, url=url)

    time_tag = soup.find("span", class_="cooking-time")
    if time_tag is not None:
        digits = "".join(c for c in time_tag.text if c.isdigit())
        recipe.minutes = int(digits) if digits else 0

    for item in soup.select("ul.ingredients li"):
        text = item.get_text(" ", strip=True)
        if text:
            recipe.ingredients.append(text)
    return recipe


def save(recipes, filename):
    with open(filename, "w", newline="", encoding="utf-8") as f:
        writer = csv.writer(f)
        writer.writerow(["title", "minutes", "ingredients", "url"])
        for recipe in recipes:
            writer.writerow(
                [recipe.title, recipe.minutes, "; ".join(recipe.ingredients), recipe.url]
            )


def main():
    index_url = sys.argv[1]
    recipes = []
    for url in recipe_links(index_url):
        try:
            recipe = parse_recipe(url)
        except requests.HTTPError as error:
            logging.warning("skipping %s: %s", url, error)
            continue
        except AttributeError:
            logging.warning("skipping %s: no title found", url)
            continue
        logging.info("%s (%d ingredients)", recipe.title, len(recipe.ingredients))
        recipes.append(recipe)

    recipes.sort(key=lambda r: r.minutes)
    save(recipes, "recipes.csv")
    logging.info("saved %d recipes", len(recipes))


if __name__ == "__main__":
    main()
