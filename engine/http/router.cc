#include "http/router.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "http/field_syntax.h"
#include "http/method_set.h"
#include "http/segment_table.h"

namespace perigee::http {
namespace {

constexpr std::size_t kMethods = static_cast<std::size_t>(Method::kExtension);
constexpr std::int32_t kNone = -1;

/// A type's turn among those at one place: the fewer texts it takes, the earlier.
constexpr int turn_of(PathType type) {
  switch (type) {
    case PathType::kBoolean:
      return 0;
    case PathType::kInteger:
      return 1;
    case PathType::kNumber:
      return 2;
    case PathType::kUuid:
      return 3;
    case PathType::kDate:
      return 4;
    case PathType::kKeyword:
      return 5;
    case PathType::kSlug:
      return 6;
    case PathType::kJson:
      return 7;
    case PathType::kCustom:
      return 8;
    case PathType::kString:
      return 9;
  }
  return 9;
}

/// A route as it was added.
struct Entry {
  std::string method;
  std::string text;
  std::string place;
  Pattern pattern;
};

}  // namespace

/// One place in the trie. Entries are numbers into Trie::entries.
struct Router::Node {
  struct Typed {
    PathType type;
    std::int32_t custom;
    std::unique_ptr<Node> node;

    [[nodiscard]] std::pair<int, std::int32_t> turn() const { return {turn_of(type), custom}; }
  };

  Node() {
    by_method.fill(kNone);
    answers.fill(kNone);
  }

  SegmentTable names;                           ///< of the literals
  std::vector<std::unique_ptr<Node>> literals;  ///< by the positions that `names` gives
  std::vector<Typed> typed;                     ///< in turn; {name} is the last
  std::unique_ptr<Node> rest;
  std::array<std::int32_t, kMethods> by_method;  ///< the entry that ends here
  std::vector<std::int32_t> extensions;          ///< entries of other methods
  std::int32_t any = kNone;
  MethodSet methods = 0;                           ///< that end here, "any" left out
  std::array<std::int32_t, kMethods + 1> answers;  ///< the entry that answers each method, the last any extension

  [[nodiscard]] Node& literal_child(std::string_view text);
  [[nodiscard]] Node& typed_child(const PatternParameter& parameter);
  [[nodiscard]] Node& rest_child();
  [[nodiscard]] const Node* typed_for(std::string_view segment, Parameters& parameters) const;
  void settle_answers();
};

struct Router::Trie {
  Node root;
  std::deque<Entry> entries;         // PatternParameters are pointed to
  std::vector<std::int32_t> routes;  // of the entries
  MethodNames methods;
  SegmentTable plain_paths;         // of the patterns without parameters, whole
  std::vector<Node*> plain_places;  // by the positions that it gives
  std::vector<std::string> custom_types;

  void add_plain_path(const Pattern& pattern, Node& place);
  [[nodiscard]] std::int32_t find_quickly(Method method, std::string_view path, Parameters& parameters) const;
  [[nodiscard]] std::int32_t go_straight(Method method, std::string_view path, Parameters& parameters) const;
  [[nodiscard]] Node& place_of(const Pattern& pattern);
  [[nodiscard]] std::int32_t* slot_of(Node& node, std::string_view method);
};

Router::Node& Router::Node::literal_child(std::string_view text) {
  std::int32_t position = names.find(text);
  if (position == SegmentTable::kAbsent) {
    position = names.add(text);
    literals.push_back(std::make_unique<Node>());
  }
  return *literals[static_cast<std::size_t>(position)];
}

Router::Node& Router::Node::typed_child(const PatternParameter& parameter) {
  Typed child{parameter.type, parameter.custom, nullptr};
  const auto later = [&child](const Typed& other) { return other.turn() >= child.turn(); };
  auto place = std::find_if(typed.begin(), typed.end(), later);
  if (place == typed.end() || place->turn() != child.turn()) {
    child.node = std::make_unique<Node>();
    place = typed.insert(place, std::move(child));
  }
  return *place->node;
}

/// The first that takes a segment, which is then the next parameter; null without one.
const Router::Node* Router::Node::typed_for(std::string_view segment, Parameters& parameters) const {
  for (const Typed& child : typed) {
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

Router::Node& Router::Node::rest_child() {
  if (!rest) {
    rest = std::make_unique<Node>();
  }
  return *rest;
}

/// HEAD falls back to GET, and every method to any.
void Router::Node::settle_answers() {
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

Router::Node& Router::Trie::place_of(const Pattern& pattern) {
  Node* node = &root;
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

/// A path that one pattern spells out is the most specific there is: it is found without a walk.
void Router::Trie::add_plain_path(const Pattern& pattern, Node& place) {
  std::string path;
  for (const Pattern::Segment& segment : pattern.segments) {
    path.append("/").append(segment.literal);
  }
  if (pattern.parameters.empty() && plain_paths.find(path) == SegmentTable::kAbsent) {
    plain_paths.add(path);
    plain_places.push_back(&place);
  }
}

/// Where the entry of a method goes; null when the method's name is one too many.
std::int32_t* Router::Trie::slot_of(Node& node, std::string_view method) {
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
  return &node.extensions.emplace_back(kNone);
}

/// The entry that a search finds where the first branch that fits is right at each place, as it mostly is; kNone where
/// it is not. REQUIRES: a method that has a number, a path that begins with a slash.
[[gnu::noinline]] std::int32_t Router::Trie::go_straight(Method method, std::string_view path,
                                                         Parameters& parameters) const {
  const Node* node = &root;
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
    } else if (const Node* typed = at != start ? node->typed_for(segment, parameters) : nullptr; typed != nullptr) {
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
std::int32_t Router::Trie::find_quickly(Method method, std::string_view path, Parameters& parameters) const {
  const std::int32_t plain = plain_paths.find(path);
  if (plain == SegmentTable::kAbsent) {
    return path.starts_with('/') ? go_straight(method, path, parameters) : kNone;
  }
  parameters.count = 0;
  return plain_places[static_cast<std::size_t>(plain)]->answers[static_cast<std::size_t>(method)];
}

Router::Router() : trie_(std::make_unique<Trie>()) {}
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
  Node& node = trie_->place_of(*parsed);
  std::int32_t* slot = trie_->slot_of(node, method);
  if (slot == nullptr) {
    return fail(std::string(place) + ": too many different methods");
  }
  if (*slot != kNone) {
    const Entry& other = trie_->entries[static_cast<std::size_t>(*slot)];
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

/// One walk through the trie, the most specific branch first. A tree's node is reached by one path only, so a walk
/// visits each at most once, however much it backtracks.
struct Router::Search {
  const Trie& trie;
  const Method method;
  const std::string_view method_text;
  const char* const end;  ///< of the path
  Parameters& parameters;
  const bool typed;                                              ///< whether types are held to
  const std::vector<std::int32_t>* const passed_over = nullptr;  ///< routes that do not count

  std::int32_t entry = kNone;
  MethodSet allowed = 0;                   ///< what the places that lacked the method take
  std::uint32_t refused = kMaxParameters;  ///< the first parameter that is not of its type, where types are not held to

  bool walk(const Node& node, const char* at);
  bool descend(const Node& child, const char* stop) { return stop == end ? arrive(child) : walk(child, stop + 1); }
  bool take(const Node& child, PathType type, const char* at, const char* stop);
  bool arrive(const Node& node);
  [[nodiscard]] std::int32_t entry_at(const Node& node) const;
};

/// Walks on from `node` with the segment that begins at `at`. True when a route was found.
bool Router::Search::walk(const Node& node, const char* at) {
  const char* stop = at;
  while (stop != end && *stop != '/') {
    ++stop;
  }
  const std::int32_t literal = node.names.find({at, static_cast<std::size_t>(stop - at)});
  if (literal != SegmentTable::kAbsent && descend(*node.literals[static_cast<std::size_t>(literal)], stop)) {
    return true;
  }
  if (stop != at) {
    for (const Node::Typed& child : node.typed) {
      if (take(*child.node, child.type, at, stop)) {
        return true;
      }
    }
  }
  return node.rest && at != end && take(*node.rest, PathType::kString, at, end);
}

/// Takes the text up to `stop` as the next parameter, if it is of the type, and walks on.
bool Router::Search::take(const Node& child, PathType type, const char* at, const char* stop) {
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
bool Router::Search::arrive(const Node& node) {
  entry = entry_at(node);
  if (entry == kNone) {
    allowed |= node.methods;
  } else if (passed_over != nullptr && std::find(passed_over->begin(), passed_over->end(),
                                                 trie.routes[static_cast<std::size_t>(entry)]) != passed_over->end()) {
    entry = kNone;
  }
  return entry != kNone;
}

std::int32_t Router::Search::entry_at(const Node& node) const {
  if (!node.extensions.empty() && method == Method::kExtension) {
    for (const std::int32_t candidate : node.extensions) {
      if (trie.entries[static_cast<std::size_t>(candidate)].method == method_text) {
        return candidate;
      }
    }
  }
  return node.answers[static_cast<std::size_t>(method)];
}

Router::Match Router::match(Method method, std::string_view method_text, std::string_view path,
                            Parameters& parameters) const {
  if (method != Method::kExtension) {
    if (const std::int32_t entry = trie_->find_quickly(method, path, parameters); entry != kNone) {
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
