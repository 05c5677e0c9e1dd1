import os
import time

import requests


class WeatherError(Exception):
    pass


class WeatherClient:
    """Talks to a weather service and remembers answers for ten minutes."""

    def __init__(self, base_url, api_key, timeout=10):
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self.session = requests.Session()
        self.session.headers.update({"Authorization": f"Bearer {api_key}"})
        self._cache = {}

    def current(self, city):
        return self._get("/current", {"city": city})

    def forecast(self, city, days=5):
        data = self._get("/forecast", {"city": city, "days": days})
        return data["days"]

    def _get(self, path, params):
        key = (path, tuple(sorted(params.items())))
        if key in self._cache:
            stored_at, data = self._cache[key]
            if time.time() - stored_at < 600:
                return data

        for attempt in range(3):
            try:
                response = self.session.get(
                    self.base_url + path, params=params, timeout=self.timeout
                )
            except requests.ConnectionError:
                # wait a little longer each time
                time.sleep(2 ** attempt)
                continue
            if response.status_code == 404:
                raise WeatherError(f"unknown city: {params['city']}")
            response.raise_for_status()
            data = response.json()
            self._cache[key] = (time.time(), data)
            return data

        raise WeatherError("service is not reachable")


def describe(day):
    low = round(day["min"])
    high = round(day["max"])
    return f"{day['date']}: {low} to {high} degrees, {day['summary']}"


if __name__ == "__main__":
    client = WeatherClient("https://weather.example.com/api", os.environ["WEATHER_KEY"])
    try:
        for day in client.forecast("Lisbon", days=3):
            print(describe(day))
    except WeatherError as e:
        print("Error:", e)
