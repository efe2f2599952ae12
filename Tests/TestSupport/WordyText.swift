/// A text with some structure, the same every time.
public let wordyText: [UInt8] = {
  var random: UInt64 = 7
  let words = ["to", "be", "or", "not", "king", "queen", "the", "and", "sleep", "dream", "night"]
  var text = ""
  while text.utf8.count < 12_000 {
    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    text += words[Int(random >> 33) % words.count] + (random >> 60 == 0 ? ".\n" : " ")
  }
  return Array(text.utf8)
}()
