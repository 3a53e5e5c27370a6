"""Text in pictures: PaddleOCR in a warm pool of worker processes."""
