import Foundation

/// What the tensors do not say: the number of layers and the rule.
extension CheckpointLayout {
  /// - Throws: ``ModelError`` where nothing, nonsense or several different numbers are recorded and no option decides.
  func layerCount(_ option: Int?, _ warnings: inout [String]) throws(ModelError) -> Int {
    if let option, !(1...10_000).contains(option) {
      throw .badLayerCount(option)
    }
    func use(_ option: Int, insteadOf found: String) -> Int {
      warnings.append("'\(file.path)' records \(found); \(option) are used, as was said")
      return option
    }
    let entries = recorded("n_layer", isValid: { _ in true })
    guard let first = entries.first else {
      guard let option else { throw .missingLayers(path: file.path) }
      return option
    }
    let numbers = Set(entries.map { Self.layers($0.value) })
    guard let number = numbers.first, numbers.count == 1 else {
      if let option { return use(option, insteadOf: "different numbers of layers") }
      let found = entries.map { "\($0.key) \($0.value)" }
      throw .ambiguousMetadata(path: file.path, key: "n_layer", found: found)
    }
    guard let number else {
      if let option { return use(option, insteadOf: "'\(first.value)' layers") }
      throw .badMetadata(path: file.path, key: first.key, value: first.value, expected: "a number of layers")
    }
    if let option { return option == number ? number : use(option, insteadOf: "\(number) layers") }
    if !isOwn(first.key) {
      warnings.append("'\(file.path)': the number of layers, \(number), is that of '\(first.key)'")
    }
    return number
  }

  func variantName(_ option: Variant?, _ warnings: inout [String]) throws(ModelError) -> Variant {
    // Other programs have variants of their own (fp16, …): only the top of a file is ours to judge.
    let entries = recorded("variant", isValid: { Variant(rawValue: $0) != nil }).filter { isOwn($0.key) }
    let rules = Set(entries.map(\.value))
    guard rules.count <= 1 || option != nil else {
      throw .ambiguousMetadata(
        path: file.path, key: "variant", found: entries.map { "\($0.key) \($0.value)" })
    }
    guard let text = file.metadata["variant"] ?? rules.first else { return option ?? .released }
    guard let option else {
      guard let rule = Variant(rawValue: text) else {
        let names = Variant.allCases.map(\.rawValue).joined(separator: ", ")
        throw .badMetadata(path: file.path, key: "variant", value: text, expected: "one of \(names)")
      }
      return rule
    }
    if option.rawValue != text {
      warnings.append("'\(file.path)' records the variant \(text); \(option.rawValue) is used, as was said")
    }
    return option
  }

  /// A number of layers in any usual spelling: `4`, `" 4 "`, `4.0`.
  private static func layers(_ text: String) -> Int? {
    let plain = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard let number = Double(plain).flatMap(Int.init(exactly:)), (1...10_000).contains(number) else {
      return nil
    }
    return number
  }

  // MARK: Whose metadata

  /// Entries named `name` that speak of this network: those of its own configuration, the nearest ones; without any, all that do not
  /// speak of another network. Sorted by their full names.
  private func recorded(_ name: String, isValid: (String) -> Bool) -> [(key: String, value: String)] {
    var entries: [(key: String, value: String)] = []
    for (key, value) in file.metadata where key == name || key.hasSuffix("." + name) && isValid(value) {
      entries.append((key, value))
    }
    entries.sort { $0.key < $1.key }
    let nearest = entries.compactMap { nearness($0.key) }.max()
    if let nearest { return entries.filter { nearness($0.key) == nearest } }
    return entries.filter { entry in !otherPrefixes.contains { !$0.isEmpty && entry.key.hasPrefix($0) } }
  }

  private func isOwn(_ key: String) -> Bool { nearness(key) != nil }

  /// How deep inside the network's own names an entry lies; nil when it belongs to something else. Names that only say
  /// "configuration" do not count: `config.n_layer` belongs to all networks of the file, `a_probe.n_layer` to none.
  private func nearness(_ key: String) -> Int? {
    var owner = key.split(separator: ".").dropLast()
    func isConfiguration(_ name: Substring) -> Bool {
      if name.allSatisfy(\.isNumber) { return true }  // a part of a tuple that was saved
      let words = ["config", "args", "cfg", "hparams", "hyper", "params", "settings"]
      return words.contains { name.lowercased().contains($0) }
    }
    while let last = owner.last, isConfiguration(last) { owner.removeLast() }
    return prefix.split(separator: ".").starts(with: owner) ? owner.count : nil
  }
}
