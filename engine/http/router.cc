#include "http/router.h"

#include <algorithm>
#include <utility>

#include "http/field_syntax.h"
#include "http/route_trie.h"

namespace perigee::http {
namespace {

using Parameters = Router::Parameters;

constexpr std::int32_t kNone = RouteNode::kNone;

/// The first that takes a segment, which is then the next parameter; null without one.
const RouteNode* typed_for(const RouteNode& node, std::string_view segment, Parameters& parameters) {
  for (const RouteNode::Typed& child : node.typed) {
    PathParameter& parameter = parameters.values[parameters.count];
    parameter.number = 0;
    if (child.type == PathType::kString || parse_path_value(child.type, segment, parameter.number)) {
      parameter.text = Slice::of(segment);
      ++parameters.count;
      return child.node.get();
    }
  }
  return nullptr;
}

/// The entry that a search finds where the first branch that fits is right at each place, as it mostly is; kNone where
/// it is not. REQUIRES: a method that has a number, a path that begins with a slash.
[[gnu::noinline]] std::int32_t go_straight(const RouteTrie& trie, Method method, std::string_view path,
                                           Parameters& parameters) {
  const RouteNode* node = &trie.root;
  const char* const end = path.data() + path.size();
  parameters.count = 0;
  for (const char* at = path.data() + 1;; ++at) {
    const char* const start = at;
    while (at != end && *at != '/') {
      ++at;
    }
    const std::string_view segment(start, static_cast<std::size_t>(at - start));
    if (const std::int32_t literal = node->names.find(segment); literal != SegmentTable::kAbsent) {
      node = node->literals[static_cast<std::size_t>(literal)].get();
    } else if (const RouteNode* typed = at != start ? typed_for(*node, segment, parameters) : nullptr;
               typed != nullptr) {
      node = typed;
    } else if (node->rest && start != end) {
      parameters.values[parameters.count++] = {Slice::of({start, static_cast<std::size_t>(end - start)}), 0};
      return node->rest->answers[static_cast<std::size_t>(method)];
    } else {
      return kNone;
    }
    if (at == end) {
      return node->answers[static_cast<std::size_t>(method)];
    }
  }
}

/// The entry of a path that takes no search, as most do; kNone where one is needed. REQUIRES: a method that has a
/// number.
std::int32_t find_quickly(const RouteTrie& trie, Method method, std::string_view path, Parameters& parameters) {
  const std::int32_t plain = trie.plain_paths.find(path);
  if (plain == SegmentTable::kAbsent) {
    return path.starts_with('/') ? go_straight(trie, method, path, parameters) : kNone;
  }
  parameters.count = 0;
  return trie.plain_places[static_cast<std::size_t>(plain)]->answers[static_cast<std::size_t>(method)];
}

/// One walk through the trie, the most specific branch first. A tree's node is reached by one path only, so a walk
/// visits each at most once, however much it backtracks.
struct Search {
  const RouteTrie& trie;
  const Method method;
  const std::string_view method_text;
  const char* const end;  ///< of the path
  Parameters& parameters;
  const bool typed;                                              ///< whether types are held to
  const std::vector<std::int32_t>* const passed_over = nullptr;  ///< routes that do not count

  std::int32_t entry = kNone;
  MethodSet allowed = 0;  ///< what the places that lacked the method take
  /// The first parameter that is not of its type, where types are not held to.
  std::uint32_t refused = Router::kMaxParameters;

  bool walk(const RouteNode& node, const char* at);
  bool descend(const RouteNode& child, const char* stop) { return stop == end ? arrive(child) : walk(child, stop + 1); }
  bool take(const RouteNode& child, PathType type, const char* at, const char* stop);
  bool arrive(const RouteNode& node);
  [[nodiscard]] std::int32_t entry_at(const RouteNode& node) const;
};

/// Walks on from `node` with the segment that begins at `at`. True when a route was found.
bool Search::walk(const RouteNode& node, const char* at) {
  const char* stop = at;
  while (stop != end && *stop != '/') {
    ++stop;
  }
  const std::int32_t literal = node.names.find({at, static_cast<std::size_t>(stop - at)});
  if (literal != SegmentTable::kAbsent && descend(*node.literals[static_cast<std::size_t>(literal)], stop)) {
    return true;
  }
  if (stop != at) {
    for (const RouteNode::Typed& child : node.typed) {
      if (take(*child.node, child.type, at, stop)) {
        return true;
      }
    }
  }
  return node.rest && at != end && take(*node.rest, PathType::kString, at, end);
}

/// Takes the text up to `stop` as the next parameter, if it is of the type, and walks on.
bool Search::take(const RouteNode& child, PathType type, const char* at, const char* stop) {
  const std::uint32_t index = parameters.count;
  const std::uint32_t refused_before = refused;
  const std::string_view text(at, static_cast<std::size_t>(stop - at));
  PathParameter& parameter = parameters.values[index];
  parameter = {Slice::of(text), 0};
  if (type != PathType::kString && !parse_path_value(type, text, parameter.number)) {
    if (typed) {
      return false;
    }
    refused = std::min(refused, index);
  }
  ++parameters.count;
  if (descend(child, stop)) {
    return true;
  }
  parameters.count = index;
  refused = refused_before;
  return false;
}

/// The path ends at `node`: a find, when the method does too.
bool Search::arrive(const RouteNode& node) {
  entry = entry_at(node);
  if (entry == kNone) {
    allowed |= node.methods;
  } else if (passed_over != nullptr && std::find(passed_over->begin(), passed_over->end(),
                                                 trie.routes[static_cast<std::size_t>(entry)]) != passed_over->end()) {
    entry = kNone;
  }
  return entry != kNone;
}

std::int32_t Search::entry_at(const RouteNode& node) const {
  if (!node.extensions.empty() && method == Method::kExtension) {
    for (const std::int32_t candidate : node.extensions) {
      if (trie.entries[static_cast<std::size_t>(candidate)].method == method_text) {
        return candidate;
      }
    }
  }
  return node.answers[static_cast<std::size_t>(method)];
}

}  // namespace

Router::Router() : trie_(std::make_unique<RouteTrie>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::set_custom_types(std::vector<std::string> names) {
  trie_->custom_types = std::move(names);
}

Result<> Router::add(std::string_view method, std::string_view pattern, std::int32_t route, std::string_view place) {
  if (method != "*" && !is_token(method)) {
    return fail(std::string(place) + ": '" + std::string(method) + "' is no method");
  }
  Result<Pattern> parsed = Pattern::parse(pattern, trie_->custom_types);
  if (!parsed) {
    return fail(std::string(place) + ": " + parsed.error().message);
  }
  RouteNode& node = trie_->place_of(*parsed);
  std::int32_t* slot = trie_->slot_of(node, method);
  if (slot == nullptr) {
    return fail(std::string(place) + ": too many different methods");
  }
  if (*slot != kNone) {
    const RouteEntry& other = trie_->entries[static_cast<std::size_t>(*slot)];
    return fail(std::string(place) + ": route " + std::string(method) + " " + std::string(pattern) +
                " takes the same paths as " + other.method + " " + other.text + " at " + other.place);
  }
  trie_->add_plain_path(*parsed, node);
  *slot = static_cast<std::int32_t>(trie_->entries.size());
  trie_->entries.push_back({std::string(method), std::string(pattern), std::string(place), *std::move(parsed)});
  trie_->routes.push_back(route);
  node.settle_answers();
  return {};
}

Router::Match Router::match(Method method, std::string_view method_text, std::string_view path,
                            Parameters& parameters) const {
  if (method != Method::kExtension) {
    if (const std::int32_t entry = find_quickly(*trie_, method, path, parameters); entry != kNone) {
      Match match;
      match.outcome = Outcome::kFound;
      match.route = trie_->routes[static_cast<std::size_t>(entry)];
      return match;
    }
  }
  return match_but(method, method_text, path, parameters, nullptr);
}

Router::Match Router::match_but(Method method, std::string_view method_text, std::string_view path,
                                Parameters& parameters, const std::vector<std::int32_t>* refused) const {
  Match match;
  parameters.count = 0;
  if (path.empty() || path[0] != '/') {
    return match;
  }
  Search search{*trie_, method, method_text, path.data() + path.size(), parameters, true, refused};
  if (search.walk(trie_->root, path.data() + 1)) {
    match.outcome = Outcome::kFound;
    match.route = trie_->routes[static_cast<std::size_t>(search.entry)];
    return match;
  }
  return refused != nullptr ? match : explain(method, method_text, path, search.allowed, parameters);
}

/// Says why no route was found; `allowed` is what the path's patterns take.
Router::Match Router::explain(Method method, std::string_view method_text, std::string_view path, MethodSet allowed,
                              Parameters& parameters) const {
  Match match;
  Search search{*trie_, method, method_text, path.data() + path.size(), parameters, false};
  if (allowed == 0 && search.walk(trie_->root, path.data() + 1)) {
    match.outcome = Outcome::kBadParameter;
    match.refused = &trie_->entries[static_cast<std::size_t>(search.entry)].pattern.parameters[search.refused];
    match.refused_text = parameters.values[search.refused].text.view();
    return match;
  }
  allowed |= search.allowed;
  if (allowed != 0) {
    match.outcome = method == Method::kOptions ? Outcome::kOptions : Outcome::kMethodNotAllowed;
    match.allow = trie_->methods.allow_text(allowed);
  }
  return match;
}

}  // namespace perigee::http
