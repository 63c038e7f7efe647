"""The controlled experiment: do generated samples make a classifier better?"""
