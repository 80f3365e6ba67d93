#include "profiler/flame_tree.h"

#include <map>
#include <tuple>

#include "base/escape.h"

namespace perigee::profiler {

namespace {

struct Node {
  std::int64_t value = 0;
  std::map<std::uint32_t, Node> children;  // by frame id
};

Node grow(const Profile& profile, std::size_t type) {
  Node root;
  for (const Sample& sample : profile.samples()) {
    const std::int64_t value = sample.values[type];
    root.value += value;
    Node* node = &root;
    for (auto id = sample.stack.rbegin(); id != sample.stack.rend(); ++id) {
      node = &node->children[*id];
      node->value += value;
    }
  }
  return root;
}

void member(std::string& out, std::string_view name, std::string_view text) {
  append_json_string(out += out.back() == '{' ? "" : ",", name);
  append_json_string(out += ':', text);
}

void member(std::string& out, std::string_view name, std::int64_t number) {
  append_json_string(out += out.back() == '{' ? "" : ",", name);
  out += ":" + std::to_string(number);
}

class Writer {
 public:
  explicit Writer(const Profile& profile) : profile_(profile) {}

  // Stacks are bounded in depth by the samplers, so recursion is too.
  void write_children(const Node& node) {
    if (node.children.empty()) {
      return;
    }
    std::map<std::tuple<std::string_view, std::int32_t, std::uint32_t>, const Node*> sorted;
    for (const auto& [id, child] : node.children) {
      sorted[{profile_.frames()[id].name, profile_.frames()[id].line, id}] = &child;
    }
    out_ += ",\"children\":[";
    for (const auto& [key, child] : sorted) {
      write_node(profile_.frames()[std::get<2>(key)], *child);
    }
    out_.back() = ']';
  }

  std::string& out() { return out_; }

 private:
  void write_node(const Frame& frame, const Node& node) {
    out_ += '{';
    member(out_, "name", frame.name);
    member(out_, "kind", word_of(frame.kind));
    if (!frame.file.empty()) {
      member(out_, "file", frame.file);
    }
    if (frame.line > 0) {
      member(out_, "line", frame.line);
    }
    member(out_, "value", node.value);
    write_children(node);
    out_ += "},";
  }

  const Profile& profile_;
  std::string out_;
};

}  // namespace

std::string write_flame_tree(const Profile& profile, std::size_t type) {
  const Node root = grow(profile, type);
  Writer writer(profile);
  std::string& out = writer.out();
  out = "{";
  member(out, "type", profile.types()[type].name);
  member(out, "unit", profile.types()[type].unit);
  member(out, "total", root.value);
  member(out, "duration", profile.duration);
  out += ",\"comments\":[";
  for (const std::string& comment : profile.comments) {
    append_json_string(out += out.back() == '[' ? "" : ",", comment);
  }
  out += "],\"root\":{\"name\":\"all\",\"value\":" + std::to_string(root.value);
  writer.write_children(root);
  return out + "}}";
}

}  // namespace perigee::profiler
