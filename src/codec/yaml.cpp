#include "codec/yaml.hpp"

#include <algorithm>
#include <sstream>

#include <fmt/core.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "codec/json.hpp"
#include "codec/utf8.hpp"
#include "codec/yaml_scalar.hpp"
#include "model/problem.hpp"

namespace davit::codec {
namespace {

// A few nested aliases can stand for more nodes than any machine holds.
constexpr std::size_t kMaxNodes = 100'000;

struct Refused {  // thrown through yaml-cpp, caught in parse_yaml
  Mark at;
  std::string reason;
};

Mark to_mark(YAML::Mark const& mark) {
  if (mark.is_null()) return {1, 1};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

[[noreturn]] void refuse(YAML::Mark const& mark, std::string reason) { throw Refused{to_mark(mark), std::move(reason)}; }

std::size_t count_nodes(Value const& value) {
  std::size_t count = 1;
  for (auto const& item : value.items()) count += count_nodes(item);
  for (auto const& member : value.members()) count += count_nodes(member.value);
  return count;
}
std::size_t depth_of(Value const& value) {
  std::size_t deepest = 0;
  for (auto const& item : value.items()) deepest = std::max(deepest, depth_of(item));
  for (auto const& member : value.members()) deepest = std::max(deepest, depth_of(member.value));
  return value.as_array() || value.as_object() ? deepest + 1 : 0;
}

// Builds the tree from yaml-cpp's events. A mapping's key and value arrive as two nodes in turn.
class Builder final : public YAML::EventHandler {
 public:
  explicit Builder(YamlDocument& document) : document_(document) {}

  void OnDocumentStart(YAML::Mark const&) override {}
  void OnDocumentEnd() override {}
  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override { leaf(mark, anchor, Value()); }
  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor, std::string const& text) override {
    if (awaits_key()) {
      // Keys are words, whatever they look like: `8080: x` has the key "8080".
      take_key(mark, text);
      return;
    }
    auto value = resolve_scalar(text, tag);
    if (!value) refuse(mark, value.error().message);
    leaf(mark, anchor, *std::move(value));
  }
  void OnAlias(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    auto const known = anchors_.find(anchor);
    if (known == anchors_.end()) refuse(mark, "an alias within what it stands for");
    if (frames_.size() + depth_of(known->second) > kMaxDepth) refuse(mark, fmt::format("nested more than {} deep", kMaxDepth));
    count(mark, count_nodes(known->second));
    place(mark);
    deliver(mark, known->second);
  }
  void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, false);
  }
  void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, true);
  }
  void OnSequenceEnd() override {
    auto frame = std::move(frames_.back());
    frames_.pop_back();
    close(frame, Value(std::move(frame.items)));
  }
  void OnMapEnd() override {
    auto frame = std::move(frames_.back());
    frames_.pop_back();
    merge(frame);
    close(frame, Value(std::move(frame.object)));
  }

 private:
  struct Frame {
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    bool is_map = false;
    bool has_key = false;
    std::string key;
    Object object;
    Value::Array items;
    Value merged;  // what stands under `<<`
    std::string pointer;
  };

  bool awaits_key() const { return !frames_.empty() && frames_.back().is_map && !frames_.back().has_key; }

  void count(YAML::Mark const& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) refuse(mark, fmt::format("more than {} nodes", kMaxNodes));
  }

  void take_key(YAML::Mark const& mark, std::string const& key) {
    count(mark, 1);
    auto& frame = frames_.back();
    if (frame.object.find(key) || (key == "<<" && !frame.merged.is_null())) {
      refuse(mark, fmt::format("the key \"{}\" comes twice in one mapping", key));
    }
    frame.key = key;
    frame.has_key = true;
    document_.marks.insert_or_assign(pointer_here(), to_mark(mark));
  }

  // Where the node that comes next will stand.
  std::string pointer_here() const {
    if (frames_.empty()) return "#";
    auto const& frame = frames_.back();
    return fmt::format("{}/{}", frame.pointer, frame.is_map ? model::pointer_token(frame.key) : std::to_string(frame.items.size()));
  }
  void place(YAML::Mark const& mark) {
    if (awaits_key()) refuse(mark, "a key must be a word");
    if (frames_.empty() || !frames_.back().is_map) document_.marks.emplace(pointer_here(), to_mark(mark));
  }

  void leaf(YAML::Mark const& mark, YAML::anchor_t anchor, Value value) {
    place(mark);
    count(mark, 1);
    if (anchor != 0) anchors_[anchor] = value;
    deliver(mark, std::move(value));
  }

  void open(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor, bool is_map) {
    place(mark);
    count(mark, 1);
    if (frames_.size() == kMaxDepth) refuse(mark, fmt::format("nested more than {} deep", kMaxDepth));
    if (!tag.empty() && tag != "?" && tag != "!" && !tag.starts_with("tag:yaml.org,2002:")) {
      refuse(mark, fmt::format("the tag {} is not supported", tag));
    }
    Frame frame;
    frame.mark = mark;
    frame.anchor = anchor;
    frame.is_map = is_map;
    frame.pointer = pointer_here();
    frames_.push_back(std::move(frame));
  }

  void close(Frame const& frame, Value value) {
    if (frame.anchor != 0) anchors_[frame.anchor] = value;
    deliver(frame.mark, std::move(value));
  }

  void deliver(YAML::Mark const& mark, Value value) {
    if (frames_.empty()) {
      document_.root = std::move(value);
      return;
    }
    auto& frame = frames_.back();
    if (!frame.is_map) {
      frame.items.push_back(std::move(value));
      return;
    }
    frame.has_key = false;
    if (frame.key != "<<") {
      frame.object.set(frame.key, std::move(value));
      return;
    }
    auto const is_map = [](Value const& each) { return each.as_object() != nullptr; };
    bool const fits = is_map(value) || (value.as_array() && std::ranges::all_of(value.items(), is_map));
    if (!fits) refuse(mark, "<< takes a mapping or a list of mappings");
    frame.merged = std::move(value);
  }

  // Own keys win over merged ones, and of several merged mappings the first that has the key.
  static void merge(Frame& frame) {
    auto const add = [&](Value const& source) {
      for (auto const& member : source.members()) {
        if (!frame.object.find(member.key)) frame.object.set(member.key, member.value);
      }
    };
    add(frame.merged);
    for (auto const& each : frame.merged.items()) add(each);
  }

  YamlDocument& document_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Value> anchors_;
  std::size_t nodes_ = 0;
};

Result<YamlDocument> fail_at(std::string_view name, Mark mark, std::string_view reason) {
  return fail(Code::Invalid, fmt::format("{}:{}:{}: {}", name, mark.line, mark.column, reason));
}

Mark mark_of_offset(std::string_view text, std::size_t offset) {
  auto const before = text.substr(0, offset);
  return {static_cast<std::size_t>(std::ranges::count(before, '\n')) + 1, offset - (before.rfind('\n') + 1) + 1};  // npos + 1 is 0
}

}  // namespace

std::string YamlDocument::locate(std::string_view pointer) const {
  while (!pointer.empty()) {
    if (auto const found = marks.find(pointer); found != marks.end()) {
      return fmt::format("{}:{}:{}", name, found->second.line, found->second.column);
    }
    auto const slash = pointer.rfind('/');
    pointer = slash == std::string_view::npos ? std::string_view() : pointer.substr(0, slash);
  }
  return name;
}

Result<YamlDocument> parse_yaml(std::string_view text, std::string_view name) {
  if (auto const bad = find_invalid_utf8(text); bad != std::string_view::npos) {
    return fail_at(name, mark_of_offset(text, bad), "this is not UTF-8");
  }
  YamlDocument document;
  document.name = name;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(document);
    YamlDocument second;
    Builder ignored(second);
    if (parser.HandleNextDocument(builder) && parser.HandleNextDocument(ignored)) {
      return fail_at(name, second.marks.empty() ? Mark{1, 1} : second.marks.begin()->second, "a second document; only one is read");
    }
  } catch (Refused const& refused) {
    return fail_at(name, refused.at, refused.reason);
  } catch (YAML::Exception const& broken) {
    return fail_at(name, to_mark(broken.mark), broken.msg);
  } catch (std::exception const& other) {
    return fail_at(name, {1, 1}, other.what());
  }
  return document;
}

}  // namespace davit::codec
