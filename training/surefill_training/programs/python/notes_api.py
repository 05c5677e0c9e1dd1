from datetime import datetime

from flask import Flask, abort, jsonify, request

app = Flask(__name__)

notes = {}
next_id = 1


def note_to_json(note):
    return {
        "id": note["id"],
        "title": note["title"],
        "body": note["body"],
        "created": note["created"].isoformat(),
    }


@app.route("/notes", methods=["GET"])
def list_notes():
    query = request.args.get("q", "").lower()
    result = [n for n in notes.values() if query in n["title"].lower()]
    result.sort(key=lambda n: n["created"], reverse=True)
    return jsonify([note_to_json(n) for n in result])


@app.route("/notes", methods=["POST"])
def create_note():
    global next_id
    data = request.get_json()
    if not data or not data.get("title"):
        return jsonify({"error": "title is required"}), 400

    note = {
        "id": next_id,
        "title": data["title"],
        "body": data.get("body", ""),
        "created": datetime.now(),
    }
    notes[next_id] = note
    next_id += 1
    return jsonify(note_to_json(note)), 201


@app.route("/notes/<int:note_id>", methods=["GET"])
def get_note(note_id):
    note = notes.get(note_id)
    if note is None:
        abort(404)
    return jsonify(note_to_json(note))


@app.route("/notes/<int:note_id>", methods=["PUT"])
def update_note(note_id):
    note = notes.get(note_id)
    if note is None:
        abort(404)
    data = request.get_json()
    note["title"] = data.get("title", note["title"])
    note["body"] = data.get("body", note["body"])
    return jsonify(note_to_json(note))


@app.route("/notes/<int:note_id>", methods=["DELETE"])
def delete_note(note_id):
    if note_id not in notes:
        abort(404)
    del notes[note_id]
    return "", 204


@app.errorhandler(404)
def not_found(error):
    return jsonify({"error": "not found"}), 404


if __name__ == "__main__":
    app.run(debug=True, port=5000)
