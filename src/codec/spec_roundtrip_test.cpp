// Any spec, written canonically, reads back equal: random specs from the field tables, so that no field is forgotten.
#include <gtest/gtest.h>

#include <random>

#include "codec/json.hpp"
#include "codec/spec.hpp"
#include "model/spec_fields.hpp"

namespace davit::codec {
namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(low, high)(engine_); }
  bool one_in(int n) { return between(1, n) == 1; }

  std::string text() {
    static constexpr std::string_view kPieces[] = {"a", "B", "7", " ", "\"", "\\",   "'",    "\n",
                                                   "=", "/", "~", "é", "☃",  "${X}", "\x01", "{}"};
    std::string all;
    for (auto i = between(0, 6); i > 0; --i) all += kPieces[between(0, std::size(kPieces) - 1)];
    return all;
  }

  template <model::HasFields S>
  S any() {
    S made{};
    model::for_each_field<S>([&](auto const& field) {
      if (field.meta.unsupported.empty() && (field.meta.required || one_in(2))) fill(made.*field.member, field.meta);
    });
    return made;
  }

 private:
  void fill(bool& into, model::Meta const&) { into = one_in(2); }
  void fill(std::string& into, model::Meta const&) { into = text(); }
  void fill(std::int64_t& into, model::Meta const& meta) { into = between(whole(meta.min, -9), whole(meta.max, INT64_MAX)); }
  void fill(double& into, model::Meta const& meta) {
    into = std::uniform_real_distribution<double>(meta.min.value_or(-1e300), meta.max.value_or(1e300))(engine_);
  }
  void fill(Bytes& into, model::Meta const&) { into.count = between(0, INT64_MAX); }
  void fill(Duration& into, model::Meta const& meta) {
    constexpr std::int64_t kMillion = 1'000'000;
    into = Duration(between(whole(meta.min, 0) * 1000 + 1, whole(meta.max, 3600) * 1000 - 1) * kMillion +
                    (one_in(3) ? between(0, kMillion - 1) : 0));
  }
  void fill(model::Words& into, model::Meta const& meta) { fill(into.items, meta); }
  void fill(model::HealthTest& into, model::Meta const& meta) { fill(into.items, meta); }
  void fill(model::KeyValues& into, model::Meta const& meta) { fill(into.items, meta); }
  template <model::NamedEnum E>
  void fill(E& into, model::Meta const&) {
    auto const& all = model::EnumNames<E>::kAll;
    into = all[between(0, all.size() - 1)].first;
  }
  template <model::HasFields S>
  void fill(S& into, model::Meta const&) {
    into = any<S>();
  }
  template <class T>
  void fill(std::optional<T>& into, model::Meta const& meta) {
    fill(into.emplace(), meta);
  }
  template <class T>
  void fill(std::vector<T>& into, model::Meta const& meta) {
    into.resize(between(0, 3));
    for (auto& each : into) fill(each, meta);
  }
  template <class T>
  void fill(std::map<std::string, T>& into, model::Meta const& meta) {
    for (auto i = between(0, 3); i > 0; --i) fill(into[text()], meta);
  }
  static std::int64_t whole(std::optional<double> bound, std::int64_t otherwise) {
    return bound ? static_cast<std::int64_t>(*bound) : otherwise;
  }

  std::mt19937 engine_;
};

TEST(WriteSpec, ReadsBackEqualForAnySpec) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    auto const spec = Dice(seed).any<model::ServiceSpec>();
    for (auto const defaults : {Defaults::Omit, Defaults::Show}) {
      auto const text = dump(write_spec(spec, defaults));
      auto const value = parse_json(text);
      ASSERT_TRUE(value) << text;
      auto const read = read_spec(*value);
      ASSERT_TRUE(read.problems.empty()) << "seed " << seed << ": " << read.problems[0].pointer << " " << read.problems[0].detail << "\n"
                                         << text;
      ASSERT_EQ(dump(write_spec(read.spec, defaults)), text) << "seed " << seed;
      ASSERT_TRUE(read.spec == spec) << "seed " << seed << "\n" << text;
    }
    ASSERT_TRUE(diff(spec, spec).empty());
  }
}

}  // namespace
}  // namespace davit::codec
