#include "http/route_trie.h"

#include <algorithm>

namespace perigee::http {
namespace {

// The fewer texts a type takes, the earlier it has its turn.
constexpr std::array kInTurn = {PathType::kBoolean, PathType::kInteger, PathType::kNumber, PathType::kUuid,
                                PathType::kDate,    PathType::kKeyword, PathType::kSlug,   PathType::kJson,
                                PathType::kCustom,  PathType::kString};
static_assert(kInTurn.size() == static_cast<std::size_t>(PathType::kCustom) + 1);

}  // namespace

std::pair<int, std::int32_t> RouteNode::Typed::turn() const {
  return {static_cast<int>(std::find(kInTurn.begin(), kInTurn.end(), type) - kInTurn.begin()), custom};
}

RouteNode& RouteNode::literal_child(std::string_view text) {
  std::int32_t position = names.find(text);
  if (position == SegmentTable::kAbsent) {
    position = names.add(text);
    literals.push_back(std::make_unique<RouteNode>());
  }
  return *literals[static_cast<std::size_t>(position)];
}

RouteNode& RouteNode::typed_child(const PatternParameter& parameter) {
  Typed child{parameter.type, parameter.custom, nullptr};
  const auto later = [&child](const Typed& other) { return other.turn() >= child.turn(); };
  auto place = std::find_if(typed.begin(), typed.end(), later);
  if (place == typed.end() || place->turn() != child.turn()) {
    child.node = std::make_unique<RouteNode>();
    place = typed.insert(place, std::move(child));
  }
  return *place->node;
}

RouteNode& RouteNode::rest_child() {
  if (!rest) {
    rest = std::make_unique<RouteNode>();
  }
  return *rest;
}

void RouteNode::settle_answers() {
  for (std::size_t method = 0; method < kMethods; ++method) {
    answers[method] = by_method[method] != kNone ? by_method[method] : any;
  }
  answers[kMethods] = any;
  const auto get = static_cast<std::size_t>(Method::kGet);
  const auto head = static_cast<std::size_t>(Method::kHead);
  if (by_method[head] == kNone) {
    answers[head] = answers[get];
  }
}

RouteNode& RouteTrie::place_of(const Pattern& pattern) {
  RouteNode* node = &root;
  for (const Pattern::Segment& segment : pattern.segments) {
    if (segment.parameter < 0) {
      node = &node->literal_child(segment.literal);
      continue;
    }
    const PatternParameter& parameter = pattern.parameters[static_cast<std::size_t>(segment.parameter)];
    node = parameter.rest ? &node->rest_child() : &node->typed_child(parameter);
  }
  return *node;
}

void RouteTrie::add_plain_path(const Pattern& pattern, RouteNode& place) {
  std::string path;
  for (const Pattern::Segment& segment : pattern.segments) {
    path.append("/").append(segment.literal);
  }
  if (pattern.parameters.empty() && plain_paths.find(path) == SegmentTable::kAbsent) {
    plain_paths.add(path);
    plain_places.push_back(&place);
  }
}

std::int32_t* RouteTrie::slot_of(RouteNode& node, std::string_view method) {
  if (method == "*") {
    return &node.any;
  }
  const Method known = method_of(method);
  if (known != Method::kExtension) {
    node.methods |= MethodNames::known(known);
    return &node.by_method[static_cast<std::size_t>(known)];
  }
  const MethodSet extension = methods.add_extension(method);
  if (extension == 0) {
    return nullptr;
  }
  node.methods |= extension;
  for (std::int32_t& entry : node.extensions) {
    if (entries[static_cast<std::size_t>(entry)].method == method) {
      return &entry;
    }
  }
  return &node.extensions.emplace_back(RouteNode::kNone);
}

}  // namespace perigee::http
