// Shortest connection between two cities, read from a file of "from to kilometres" lines.

#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <queue>
#include <sstream>
#include <string>
#include <vector>

using namespace std;

struct Edge {
  string target;
  double length;
};

class Graph {
 public:
  void addRoad(const string& from, const string& to, double length) {
    edges[from].push_back({to, length});
    edges[to].push_back({from, length});
  }

  bool hasCity(const string& name) const { return edges.find(name) != edges.end(); }

  // Dijkstra's algorithm. The path is empty if there is no connection.
  vector<string> shortestPath(const string& start, const string& goal, double& distance) const {
    map<string, double> best;
    map<string, string> previous;
    for (const auto& entry : edges) {
      best[entry.first] = numeric_limits<double>::infinity();
    }
    best[start] = 0;

    typedef pair<double, string> State;
    priority_queue<State, vector<State>, greater<State>> queue;
    queue.push({0, start});

    while (!queue.empty()) {
      State state = queue.top();
      queue.pop();
      const string& city = state.second;
      if (city == goal) break;
      if (state.first > best[city]) continue;  // an outdated entry

      for (const Edge& edge : edges.at(city)) {
        double length = state.first + edge.length;
        if (length < best[edge.target]) {
          best[edge.target] = length;
          previous[edge.target] = city;
          queue.push({length, edge.target});
        }
      }
    }

    distance = best[goal];
    vector<string> path;
    if (distance == numeric_limits<double>::infinity()) return path;
    for (string city = goal; city != start; city = previous[city]) {
      path.push_back(city);
    }
    path.push_back(start);
    reverse(path.begin(), path.end());
    return path;
  }

 private:
  map<string, vector<Edge>> edges;
};

Graph readGraph(istream& in) {
  Graph graph;
  string line;
  while (getline(in, line)) {
    if (line.empty() || line[0] == '#') continue;
    istringstream fields(line);
    string from, to;
    double length;
    if (fields >> from >> to >> length) {
      graph.addRoad(from, to, length);
    } else {
      cerr << "ignored: " << line << endl;
    }
  }
  return graph;
}

int main(int argc, char* argv[]) {
  if (argc != 4) {
    cerr << "usage: " << argv[0] << " FILE FROM TO" << endl;
    return 2;
  }
  ifstream file(argv[1]);
  if (!file) {
    cerr << "cannot open " << argv[1] << endl;
    return 1;
  }
  Graph graph = readGraph(file);
  if (!graph.hasCity(argv[2]) || !graph.hasCity(argv[3])) {
    cerr << "unknown city" << endl;
    return 1;
  }
  double distance = 0;
  for (const string& city : graph.shortestPath(argv[2], argv[3], distance)) {
    cout << city << endl;
  }
  cout << distance << " km" << endl;
  return 0;
}
